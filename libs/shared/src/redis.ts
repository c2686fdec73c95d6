import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import type { Logger } from './logger.js';

export interface RedisConnectionOptions {
  readonly logger: Logger;
  /** For rediss:// with an own authority or client certificate. */
  readonly tls?: ConnectionOptions;
  /** A command without an answer by then rejects. Default 5000. */
  readonly commandTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 2000;
const COMMAND_TIMEOUT_MS = 5000;
const RECONNECT_MS_MAX = 1000;

/**
 * A connection that never gives up and never piles up: while Redis is away (before the first connection too) every
 * command rejects at once, a command in flight at a loss rejects and is not sent again. Reconnects for ever, at most
 * 1 s apart. One WARN per outage.
 */
export function createRedis(url: string, options: RedisConnectionOptions): Redis {
  const commandTimeout = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  const redis = new Redis(url, {
    ...(options.tls ? { tls: options.tls } : {}),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout,
    // A connection whose far end is gone without a word would be kept for ever, and every command on it time out.
    socketTimeout: commandTimeout,
    retryStrategy: (attempts) => Math.min(50 * 2 ** Math.min(attempts, 10), RECONNECT_MS_MAX),
  });
  let away = false;
  redis.on('error', (error) => {
    if (away) return;
    away = true;
    options.logger.warn({ err: error }, 'Redis is away; reconnecting');
  });
  redis.on('ready', () => {
    if (!away) return;
    away = false;
    options.logger.info('Redis is back');
  });
  return redis;
}
