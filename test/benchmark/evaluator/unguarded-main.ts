/**
 * The evaluator as it is, but for its store, which writes the same without asking whether the position is still the one
 * that was read, and not in one step. For comparison only: a crash would lose or double outcomes.
 */
import { createLogger, createRedis, loadConfig, runUntilSignal } from '@app/shared';
import { EvaluatorConfig } from '../../../apps/evaluator/src/config.js';
import { connectEvaluator } from '../../../apps/evaluator/src/connect.js';
import { UnguardedSlotStore } from './unguarded-slot-store.js';

await runUntilSignal(
  () => {
    const config = loadConfig(EvaluatorConfig, process.env);
    const logger = createLogger('evaluator', config.LOG_LEVEL);
    const redis = createRedis(config.REDIS_URL, { logger });
    const slotStore = new UnguardedSlotStore(redis, config.REDIS_PREFIX);
    return connectEvaluator(config, logger, { slotStore });
  },
  createLogger('evaluator', 'info'),
);
