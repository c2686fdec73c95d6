import {
  CanaryError,
  configuredTopics,
  type Env,
  loadConfig,
  REDIS_PREFIX,
  ServiceConfig,
  ToBoolean,
  ToNumber,
  type TopicNames,
} from '@app/shared';
import { IsBoolean, IsInt, IsOptional, IsString, Matches, Max, Min, MinLength, ValidateIf } from 'class-validator';

export class ControllerConfig extends ServiceConfig {
  /** Consumer group of all controllers; also the beginning of their transactional ids. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,200}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 200' })
  CONTROLLER_GROUP = 'controller';

  /** Bearer token of the HTTP API with the role admin (or CONTROLLER_TOKEN_FILE). It, CONTROLLER_TOKENS or OIDC_ISSUER is required when HTTP_HOST is not loopback. */
  @IsOptional()
  @IsString()
  @MinLength(16, { message: 'at least 16 characters' })
  CONTROLLER_TOKEN?: string;

  /** Name of that token: who its decisions are said to come from. */
  @IsString()
  @Matches(/^[\w .@+-]{1,100}$/, { message: 'letters, digits, spaces and . @ + - _, at most 100' })
  CONTROLLER_TOKEN_NAME = 'operator';

  /** More tokens, each with a name and a role (read, operate, admin): a YAML or JSON list of {name, role, token} or {name, role, sha256}. Better in a file: CONTROLLER_TOKENS_FILE. */
  @IsOptional()
  @IsString()
  CONTROLLER_TOKENS?: string;

  /** Requests a minute of each token (or address without one) on each controller; more are refused with 429. */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  REQUESTS_PER_MINUTE = 3_000;

  /** Issuer of an OpenID Connect provider whose bearer tokens are taken too; its configuration names the keys. */
  @IsOptional()
  @IsString()
  @Matches(/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$))\S*$/, {
    message: 'https://..., or http on loopback',
  })
  OIDC_ISSUER?: string;

  /** Audience that those tokens must name. With OIDC_ISSUER. */
  @ValidateIf(({ OIDC_ISSUER }: ControllerConfig) => OIDC_ISSUER !== undefined)
  @IsString()
  OIDC_AUDIENCE?: string;

  /** Which values of the role claim give which role: value=role, comma-separated, e.g. ml-oncall=operate. With OIDC_ISSUER. */
  @ValidateIf(({ OIDC_ISSUER }: ControllerConfig) => OIDC_ISSUER !== undefined)
  @IsString()
  @Matches(/^[^=,]+=(read|operate|admin)(,[^=,]+=(read|operate|admin))*$/, {
    message: 'value=role, comma-separated; roles: read, operate, admin',
  })
  OIDC_ROLES?: string;

  /** Claim with the roles, a string or a list; a dotted path, e.g. realm_access.roles. */
  @IsString()
  OIDC_ROLE_CLAIM = 'roles';

  /** Claim with the name that stands in decisions. */
  @IsString()
  OIDC_NAME_CLAIM = 'sub';

  /** Whom to tell of decisions: a YAML or JSON list of targets. Better in a file: NOTIFICATIONS_FILE. */
  @IsOptional()
  @IsString()
  NOTIFICATIONS?: string;

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

  /** The console offers no actions. Who may act is what tokens say; this is for screens on the wall. */
  @ToBoolean()
  @IsBoolean()
  CONSOLE_READ_ONLY = false;
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
  | 'CONTROLLER_TOKENS'
  | 'REQUESTS_PER_MINUTE'
  | 'OIDC_ISSUER'
  | 'OIDC_AUDIENCE'
  | 'OIDC_ROLES'
  | 'OIDC_ROLE_CLAIM'
  | 'OIDC_NAME_CLAIM'
  | 'COMMAND_TIMEOUT_MS'
  | 'NOTIFICATIONS'
  | 'CONSOLE_READ_ONLY'
>;

export function readControllerConfig(env: Env): { config: ControllerConfig; topics: TopicNames } {
  const config = loadConfig(ControllerConfig, env);
  return { config, topics: configuredTopics(config) };
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Whoever reaches the API decides what users get: beyond this machine only with a token. Throws CanaryError `token-required`. */
export function requireTokenBeyondLoopback({ HTTP_HOST }: ControllerSettings, asksForTokens: boolean): void {
  if (asksForTokens || LOOPBACK.test(HTTP_HOST)) return;
  throw new CanaryError(
    'token-required',
    `HTTP_HOST is ${HTTP_HOST}: an API that others can reach needs CONTROLLER_TOKEN or CONTROLLER_TOKEN_FILE (at least 16 characters), CONTROLLER_TOKENS or OIDC_ISSUER; or set HTTP_HOST=127.0.0.1`,
  );
}
