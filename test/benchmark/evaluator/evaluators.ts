import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { startServiceProcess } from '../../../apps/standalone/src/demo/service-process.js';
import { META_FIELD } from '../../../apps/evaluator/src/slot-store/slot-keys.js';
import { SERVICE_FLAGS } from '../../../deploy/local/service-flags.js';
import type { Contestant, Track } from './contestant.js';
import { emptyOutputs } from './outputs.js';

export interface EvaluatorsOptions {
  readonly name: string;
  readonly redis: Redis;
  /** Processes that share the partitions. Default 1. */
  readonly processes?: number;
  /** Default: the built service. */
  readonly main?: string;
  readonly nodeFlags?: readonly string[];
}

const SERVICE = join('services', 'evaluator', 'main.js');
export const UNGUARDED = join('test', 'benchmark', 'evaluator', 'unguarded-main.js');
/** Seals the prediction ids that labels name. */
export const SEALING_SECRET = Buffer.alloc(32, 7);
const SEALING_KEY = `0:${SEALING_SECRET.toString('base64')}`;
/** Where the programs are when they are built. */
const DIST = join(import.meta.dirname, '..', '..', '..');

let runs = 0;
/** Of the newest run: for looking at what it left in Redis. */
export const prefixOfRun = (track: Track): string => `${track.topicPrefix}${runs}`;

/** The built evaluator, as it is run in production. Each run has slots and groups of its own. */
export const evaluators = ({
  name,
  redis,
  processes = 1,
  main = SERVICE,
  nodeFlags = [],
}: EvaluatorsOptions): Contestant => ({
  name,
  start: async (track) => {
    runs++;
    await emptyOutputs(track);
    const prefix = prefixOfRun(track);
    const env = {
      KAFKA_BROKERS: track.brokers,
      REDIS_URL: track.redisUrl,
      REDIS_PREFIX: prefix,
      TOPIC_PREFIX: track.topicPrefix,
      EVALUATOR_GROUP: `evaluator-${runs}`,
      PREDICTION_ID_KEYS: SEALING_KEY,
      LOG_LEVEL: 'warn',
      NODE_ENV: 'production',
    };
    const start = () =>
      startServiceProcess({
        name: 'evaluator',
        main: pathToFileURL(join(DIST, main)),
        env,
        nodeFlags: [...SERVICE_FLAGS.evaluator, ...nodeFlags],
        logFile: join(track.folder, `${prefix}.log`),
        guard: track.guard,
      });
    const services = await Promise.all(Array.from({ length: processes }, start));
    const slots = Array.from({ length: track.partitions }, (_, p) => `${prefix}:{${track.kind}-${p}}:slot`);
    return {
      pids: services.map(({ pid }) => pid),
      records: async () => {
        const positions = await Promise.all(slots.map((slot) => redis.hget(slot, META_FIELD.position)));
        return positions.reduce((sum, position) => sum + Number(position ?? 0), 0);
      },
      stop: async () => {
        const codes = await Promise.all(services.map((service) => service.stop()));
        if (codes.some((code) => code !== 0)) throw new Error(`${name} ended with ${codes.join(', ')}`);
      },
    };
  },
});
