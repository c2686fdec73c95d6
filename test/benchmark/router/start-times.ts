import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../deploy/local/ports.js';
import { row, type Section } from '../framework/report.js';
import { startRouter } from './contestants.js';
import type { RouterBenchWorld } from './world.js';

const GOAL_DISK_MS = 1_500;
const GOAL_KAFKA_MS = 3_000;

/** From the start of the process until it says that it is ready. */
export async function startTimes(world: RouterBenchWorld): Promise<Section> {
  const { context } = world;
  const timed = async (env: Readonly<Record<string, string>>, dataDir: string): Promise<number> => {
    const beganAtMs = performance.now();
    const { program } = await startRouter({ name: 'started', env: { ...world.routerEnv, ...env }, dataDir }, context);
    const ms = performance.now() - beganAtMs;
    await program.stop();
    return ms;
  };
  const newFolder = (): string => mkdtempSync(join(context.folder, 'start-'));
  const known = newFolder();
  await timed({}, known);
  const [fromDiskMs, fromKafkaMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < context.options.rounds; round++) {
    fromDiskMs.push(await timed({ KAFKA_BROKERS: `127.0.0.1:${await freePort()}` }, known));
    fromKafkaMs.push(await timed({}, newFolder()));
  }
  return {
    title: 'Router: from the start of the process until it serves',
    rows: [
      row('with the weights on its disk, Kafka away', fromDiskMs, 'ms', { atMost: GOAL_DISK_MS }),
      row('with nothing on its disk, current with Kafka', fromKafkaMs, 'ms', { atMost: GOAL_KAFKA_MS }),
    ],
  };
}
