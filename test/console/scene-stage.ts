import { fileURLToPath } from 'node:url';
import {
  cloudEventHeaders,
  createTopicsFor,
  emptyFigures,
  labelDelayBin,
  loadConfig,
  MemoryBus,
  type ModelWindow,
  type OutRecord,
  type RunningService,
  silentLogger,
  sketchBin,
  systemClock,
  topicNames,
  type Verdict,
  verdictCodec,
  type WindowFigures,
  type WindowRange,
} from '@app/shared';
import { ControllerConfig } from '../../apps/controller/src/config.js';
import { decisionRecord, stateRecord } from '../../apps/controller/src/ownership/records.js';
import { startController } from '../../apps/controller/src/start.js';
import type { Scene } from './scene.js';

const TALK_EVERY_MS = 2_000;
export const CONSOLE = fileURLToPath(new URL('../../dist/apps/console', import.meta.url));

/** A real controller on a bus in memory that holds scenes, and windows that go with them. */
export interface Stage {
  readonly url: string;
  publish(scenes: readonly Scene[]): Promise<void>;
  say(verdict: Verdict): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(scenes: readonly Scene[], env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const bus = new MemoryBus();
  const topics = topicNames();
  await createTopicsFor(bus, topics, { dataPartitions: 2, controlPartitions: 2 });
  const producer = bus.producer();
  const send = async (records: readonly OutRecord[]): Promise<void> => producer.send(records);
  const publish = async (more: readonly Scene[]): Promise<void> => {
    for (const scene of more) {
      await send(scene.decisions.map((decision) => decisionRecord(topics, decision)));
      if (scene.state) await send([stateRecord(topics, scene.state)]);
      if (scene.verdicts.length > 0)
        await send(scene.verdicts.map((verdict) => verdictRecord(topics.verdict, verdict)));
    }
  };
  await publish(scenes);
  const controller: RunningService = await startController({
    config: loadConfig(ControllerConfig, { KAFKA_BROKERS: 'memory:1', ...env }),
    topics,
    bus,
    clock: systemClock,
    logger: silentLogger,
    windows: { read: (model, range) => Promise.resolve(windows(model, range)) },
    console: CONSOLE,
    // Nobody answers for the versions of these scenes.
    readiness: { ask: () => Promise.resolve({ ready: false, detail: 'answered 503' }), close: () => Promise.resolve() },
  });
  // An evaluator that says nothing would be noticed.
  const talking = setInterval(() => {
    for (const scene of scenes) {
      const verdict = scene.another(Date.now());
      if (verdict) void send([verdictRecord(topics.verdict, verdict)]);
    }
  }, TALK_EVERY_MS);
  return {
    url: controller.url,
    publish,
    say: (verdict) => send([verdictRecord(topics.verdict, verdict)]),
    close: async () => {
      clearInterval(talking);
      await controller.close();
      await producer.close();
      await bus.close();
    },
  };
}

function verdictRecord(topic: string, verdict: Verdict): OutRecord {
  const headers = cloudEventHeaders({ id: verdict.verdictId, source: '/scene', type: 'scene', subject: verdict.model, timeMs: verdict.asOf }); // prettier-ignore
  return { topic, key: verdict.model, value: verdictCodec.encode(verdict), headers };
}

/** Traffic that was there all the time, the canary's a tenth. */
function windows(model: string, { resolution, fromMs, toMs }: WindowRange): ModelWindow[] {
  const durationMs = resolution === '10s' ? 10_000 : 60_000;
  const starts: number[] = [];
  for (let start = Math.ceil(fromMs / durationMs) * durationMs; start < toMs; start += durationMs) starts.push(start);
  return starts.map((startMs) => {
    const wave = 1 + 0.15 * Math.sin(startMs / 47_000);
    const arms: [string, WindowFigures][] = [
      ['v1', figures(900 * wave, { p50: 31, p99: 84 })],
      ['v2', figures(100 * wave, { p50: 34, p99: model === 'digits' ? 145 : 87 })],
    ];
    return { startMs, durationMs, versions: new Map(arms) };
  });
}

function figures(routed: number, latency: { readonly p50: number; readonly p99: number }): WindowFigures {
  const n = Math.round(routed);
  const of = (share: number): number => Math.max(1, Math.round(n * share));
  return {
    ...emptyFigures(),
    routed: n,
    errors: Math.round(n * 0.012),
    labelled: of(0.63),
    right: of(0.57),
    latency: new Map([[sketchBin(latency.p50), of(0.6)], [sketchBin(latency.p50 * 1.6), of(0.37)], [sketchBin(latency.p99), of(0.03)]]), // prettier-ignore
    labelDelay: new Map([[labelDelayBin(4_000), of(0.5)], [labelDelayBin(22_000), of(0.13)]]), // prettier-ignore
  };
}
