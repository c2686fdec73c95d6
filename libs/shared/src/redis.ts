import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { currentValue } from './config.js';
import type { Logger } from './logger.js';

export interface RedisConnectionOptions {
  readonly logger: Logger;
  /** For rediss:// with an own authority or client certificate. */
  readonly tls?: ConnectionOptions;
  /** A command without an answer by then rejects. Default 5000. */
  readonly commandTimeoutMs?: number;
  /** Asked for user and password before each new connection: they change. Default: those of the URL. */
  readonly currentUrl?: () => string;
}

/** What a configuration holds of Redis. */
export interface RedisConfig {
  REDIS_URL?: string;
  REDIS_SSL_CA?: string;
  REDIS_SSL_CERT?: string;
  REDIS_SSL_KEY?: string;
}

const CONNECT_TIMEOUT_MS = 2000;
const COMMAND_TIMEOUT_MS = 5000;
const RECONNECT_MS_MAX = 1000;

/** A connection as a service's environment describes it; the URL is read again from its file for each new connection. */
export function configuredRedis(config: RedisConfig & { readonly REDIS_URL: string }, logger: Logger): Redis {
  const { REDIS_SSL_CA: ca, REDIS_SSL_CERT: cert, REDIS_SSL_KEY: key } = config;
  const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
  return createRedis(config.REDIS_URL, {
    logger,
    currentUrl: () => currentValue(config, 'REDIS_URL'),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  });
}

/**
 * A connection that never gives up and never piles up: while Redis is away (before the first connection too) every
 * command rejects at once, a command in flight at a loss rejects and is not sent again. Reconnects for ever, at most
 * 1 s apart. One WARN per outage; what a person must put right is an ERROR that says what to do.
 */
export function createRedis(url: string, options: RedisConnectionOptions): Redis {
  const { logger, tls, currentUrl, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
  const redis = new Redis(url, {
    ...(tls ? { tls } : {}),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    // A connection whose far end is gone without a word would be kept for ever, and every command on it time out.
    socketTimeout: commandTimeoutMs,
    retryStrategy: (attempts) => {
      if (currentUrl) Object.assign(redis.options, loginOf(currentUrl()));
      return Math.min(50 * 2 ** Math.min(attempts, 10), RECONNECT_MS_MAX);
    },
  });
  let away: string | null = null;
  redis.on('error', (error) => {
    const refusal = redisRefusal(error);
    const told = refusal ?? 'away';
    if (away === told) return;
    away = told;
    // Not the error itself: the command in it may be the one that logs in, with the password.
    if (refusal) logger.error({ reason: error.message }, refusal);
    else logger.warn({ reason: error.message, code: codeOf(error) }, 'Redis is away; reconnecting');
  });
  redis.on('ready', () => {
    if (away === null) return;
    away = null;
    logger.info('Redis is back');
  });
  return redis;
}

/** What a person must put right, or null: then waiting may help. */
function redisRefusal(error: Error): string | null {
  if (/^(WRONGPASS|NOAUTH)|invalid (username-)?password|no password is set/i.test(error.message))
    return 'Redis refuses the login: check user and password in REDIS_URL.';
  if (/^NOPERM/.test(error.message))
    return 'Redis forbids the user of REDIS_URL a command or key: README, "Permissions", lists what each service needs.';
  switch (codeOf(error)) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'The certificate of Redis is signed by an authority that is not known here: name it in REDIS_SSL_CA.';
    case 'CERT_HAS_EXPIRED':
      return 'The certificate of Redis has expired: it has to be renewed there.';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'The certificate of Redis is for other names: use one of them in REDIS_URL.';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'Redis does not speak TLS on this port: use redis:// in REDIS_URL, or its TLS port.';
    default:
      return null;
  }
}

const codeOf = (error: Error): string | undefined => (error as NodeJS.ErrnoException).code;

function loginOf(url: string): { username: string | undefined; password: string | undefined } {
  const { username, password } = new URL(url);
  const given = (text: string): string | undefined => (text === '' ? undefined : decodeURIComponent(text));
  return { username: given(username), password: given(password) };
}
