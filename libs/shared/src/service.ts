import { CanaryError } from './errors.js';
import type { Logger } from './logger.js';

/** A service that was started: what main.ts, the standalone app and the tests hold. */
export interface RunningService {
  /** Base URL of its HTTP port, e.g. http://127.0.0.1:4311. */
  readonly url: string;
  /** Readiness off, stop intake, finish, flush, commit, disconnect. Idempotent. Takes at most 10 s. */
  close(): Promise<void>;
}

/** npm hands Ctrl-C on to a program that the terminal has told already: what comes this soon is the same press. */
const SAME_PRESS_MS = 500;

/** Starts a service and keeps it until SIGTERM or SIGINT; then closes it and exits with 0. A second signal exits at once. */
export async function runUntilSignal(start: () => Promise<RunningService>, logger: Logger): Promise<void> {
  let service: RunningService;
  try {
    service = await start();
  } catch (error) {
    // A refusal to start is for the person at the terminal: the text, not a stack.
    if (error instanceof CanaryError) process.stderr.write(`${error.message}\n`);
    else logger.error({ err: error }, 'could not start');
    process.exit(1);
  }
  logger.info({ url: service.url }, 'started');
  let closingSince: number | null = null;
  const close = (signal: string): void => {
    const nowMs = performance.now();
    if (closingSince !== null) {
      if (nowMs - closingSince > SAME_PRESS_MS) process.exit(130);
      return;
    }
    closingSince = nowMs;
    logger.info({ signal }, 'closing');
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not close cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}
