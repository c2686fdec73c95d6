import {
  CanaryError,
  configuredTopics,
  type Env,
  loadConfig,
  REDIS_PREFIX,
  ServiceConfig,
  ToNumber,
  type TopicNames,
} from '@app/shared';
import { IsInt, IsOptional, IsString, Matches, Max, Min, MinLength } from 'class-validator';

export class ControllerConfig extends ServiceConfig {
  /** Consumer group of all controllers; also the beginning of their transactional ids. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,200}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 200' })
  CONTROLLER_GROUP = 'controller';

  /** Bearer token of the HTTP API (or CONTROLLER_TOKEN_FILE). Required when HTTP_HOST is not loopback. */
  @IsOptional()
  @IsString()
  @MinLength(16, { message: 'at least 16 characters' })
  CONTROLLER_TOKEN?: string;

  /** Who decisions of the token's owner are said to come from, unless a request names somebody in X-Actor. */
  @IsString()
  @Matches(/^[\w .@+-]{1,100}$/, { message: 'letters, digits, spaces and . @ + - _, at most 100' })
  CONTROLLER_TOKEN_NAME = 'operator';

  /** Redis with the windows that the API shows; without it there are none. */
  @IsOptional()
  @IsString()
  @Matches(/^rediss?:\/\/\S+$/, { message: 'redis://host:port or rediss://host:port' })
  REDIS_URL?: string;

  /** Certificate authorities (PEM) for rediss://, instead of the system's. */
  @IsOptional()
  @IsString()
  REDIS_SSL_CA?: string;

  /** Client certificate (PEM) for a Redis that asks for one. */
  @IsOptional()
  @IsString()
  REDIS_SSL_CERT?: string;

  /** Its private key (PEM). */
  @IsOptional()
  @IsString()
  REDIS_SSL_KEY?: string;

  /** Before every Redis key; the evaluator's. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,50}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 50' })
  REDIS_PREFIX = REDIS_PREFIX;

  /** How long an answer to a command is waited for, ms. */
  @ToNumber()
  @IsInt()
  @Min(100)
  @Max(60_000)
  COMMAND_TIMEOUT_MS = 10_000;
}

/** What the controller itself needs to know; how it reaches Kafka and Redis is main.ts's. */
export type ControllerSettings = Pick<
  ControllerConfig,
  | 'HTTP_HOST'
  | 'HTTP_PORT'
  | 'INSTANCE'
  | 'TOPIC_PREFIX'
  | 'CONTROLLER_GROUP'
  | 'CONTROLLER_TOKEN'
  | 'CONTROLLER_TOKEN_NAME'
  | 'COMMAND_TIMEOUT_MS'
>;

export function readControllerConfig(env: Env): { config: ControllerConfig; topics: TopicNames } {
  const config = loadConfig(ControllerConfig, env);
  return { config, topics: configuredTopics(config) };
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Whoever reaches the API decides what users get: beyond this machine only with a token. Throws CanaryError `token-required`. */
export function requireTokenBeyondLoopback(settings: ControllerSettings): void {
  if (settings.CONTROLLER_TOKEN !== undefined || LOOPBACK.test(settings.HTTP_HOST)) return;
  throw new CanaryError(
    'token-required',
    `HTTP_HOST is ${settings.HTTP_HOST}: an API that others can reach needs CONTROLLER_TOKEN or CONTROLLER_TOKEN_FILE (at least 16 characters), or HTTP_HOST=127.0.0.1`,
  );
}
