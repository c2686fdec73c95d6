import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * JSON lines on standard error, so that standard output stays what a program prints for people.
 * ERROR means that a person must act now; what heals itself is WARN.
 */
export function createLogger(service: string, level: string): Logger {
  return pino(
    { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
