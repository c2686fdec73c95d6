import { createLogger, loadConfig, runUntilSignal } from '@app/shared';
import { EvaluatorConfig } from '../config.js';
import { connectEvaluator } from '../connect.js';
import { recordingEngines } from './recording-engine.js';

/** The evaluator as it is, but for its engines: they record what they are given, so that tests can count again. */
await runUntilSignal(
  async () => {
    const config = loadConfig(EvaluatorConfig, process.env);
    const logger = createLogger('evaluator', config.LOG_LEVEL);
    return connectEvaluator(config, logger, { engines: recordingEngines });
  },
  createLogger('evaluator', 'info'),
);
