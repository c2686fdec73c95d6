import { rmSync, mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CanaryError,
  configuredKafka,
  configuredSealer,
  configuredTopics,
  createLogger,
  KafkaBus,
  loadConfig,
  parseRolloutSpec,
  type ReplayLine,
  type RolloutSpec,
  SealingConfig,
  systemClock,
} from '@app/shared';
import { BusSource } from './bus-source.js';
import { FileSource } from './file-source.js';
import type { RecordSource } from './record-source.js';
import { replay } from './replay.js';

/**
 * Replays verdicts and prints ReplayLines: `main.js [--model digits ...] [--records file] [--file rollout.yaml] [--rollout id]`.
 * canaryctl starts it. Its environment is the evaluator's, without Redis; with --records without Kafka too.
 */
const { values: args } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    records: { type: 'string' },
    file: { type: 'string' },
    rollout: { type: 'string' },
  },
});
const emit = (line: ReplayLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

// Standard output may be a pipe whose reader has seen enough.
process.stdout.on('error', () => process.exit(1));
const folder = mkdtempSync(join(tmpdir(), 'model-canary-replay-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await run();
} catch (error) {
  const { code, message } =
    error instanceof CanaryError ? error : { code: 'unexpected', message: String((error as Error).stack) };
  emit({ kind: 'failed', code, message });
  process.exitCode = 1;
}

async function run(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const { rollout } = args;
  const spec = args.file === undefined ? undefined : await readSpec(args.file);
  // A file needs no Kafka, so nothing has to be said of one.
  const env = args.records === undefined ? process.env : { ...process.env, KAFKA_BROKERS: 'none:1' };
  const config = loadConfig(SealingConfig, env);
  const sealer = configuredSealer(config);
  let source: RecordSource;
  let models = [...new Set(args.model)];
  if (args.records === undefined) {
    const bus = new KafkaBus(configuredKafka(config, createLogger('replay', 'warn'), 'canaryctl-replay'));
    opened.defer(() => bus.close());
    source = await BusSource.open(bus, configuredTopics(config));
  } else {
    const file = await FileSource.open(args.records);
    source = file;
    if (models.length === 0) models = [file.model];
  }
  if (models.length === 0) throw new CanaryError('no-model', 'name the model to replay: --model');
  await replay({ source, models, rollout, spec, sealer, folder, clock: systemClock, emit });
}

async function readSpec(path: string): Promise<RolloutSpec> {
  const parsed = parseRolloutSpec(await readFile(path, 'utf8'));
  if (parsed.ok) return parsed.value;
  throw new CanaryError('bad-rollout-file', `${path}: ${parsed.problems.map(({ message }) => message).join('; ')}`);
}
