import { createLogger, loadConfig, runUntilSignal } from '@app/shared';
import { EvaluatorConfig } from './config.js';
import { connectEvaluator } from './connect.js';

await runUntilSignal(
  async () => {
    const config = loadConfig(EvaluatorConfig, process.env);
    return connectEvaluator(config, createLogger('evaluator', config.LOG_LEVEL));
  },
  createLogger('evaluator', 'info'),
);
