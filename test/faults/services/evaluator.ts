import { createLogger, loadConfig, runUntilSignal } from '@app/shared';
import { EvaluatorConfig } from '../../../apps/evaluator/src/config.js';
import { connectEvaluator } from '../../../apps/evaluator/src/connect.js';
import { collectGarbageIfAsked } from './collect-garbage.js';
import { shiftedClock } from './shifted-clock.js';

collectGarbageIfAsked(process.env);

/** The evaluator as it is, but for its clock: see shiftedClock(). */
await runUntilSignal(
  async () => {
    const config = loadConfig(EvaluatorConfig, process.env);
    const clock = shiftedClock(process.env['FAULTS_CLOCK_FILE']!);
    return connectEvaluator(config, createLogger('evaluator', config.LOG_LEVEL), { clock });
  },
  createLogger('evaluator', 'info'),
);
