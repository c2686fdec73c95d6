/** Starts Kafka and Redis, prints where they are as lines for a shell, and keeps them until Ctrl-C. */
import { CanaryError } from '@app/shared';
import { startLocalStack } from './local-stack.js';

try {
  const stack = await startLocalStack({ log: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(`KAFKA_BROKERS=${stack.kafkaBrokers}\nREDIS_URL=${stack.redisUrl}\n`);
  const keepAlive = setInterval(() => undefined, 3_600_000);
  const close = (): void => {
    clearInterval(keepAlive);
    void stack.stop();
  };
  process.once('SIGINT', close);
  process.once('SIGTERM', close);
} catch (error) {
  if (!(error instanceof CanaryError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
