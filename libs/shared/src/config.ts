import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { plainToInstance, Transform } from 'class-transformer';
import {
  getMetadataStorage,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateIf,
  validateSync,
} from 'class-validator';
import { CanaryError } from './errors.js';
import { type TopicNames, TOPICS, TOPIC_TABLE, type TopicRole, topicNames } from './contracts/topics.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** Where loadConfig() keeps the paths of the files that values came from. */
const FILES = Symbol('files');

/**
 * Reads a class-validator class from environment variables named as its properties. An empty variable counts as unset.
 * `NAME_FILE` names a file that holds the value of NAME (secrets). Throws CanaryError `bad-configuration` naming every
 * bad variable, never its value.
 */
export function loadConfig<T extends object>(type: new () => T, env: Env): T {
  const input: Record<string, string> = {};
  const files: Record<string, string> = {};
  // Only names of ours: SSL_CERT_FILE and the like are other programs' and may name what is not there.
  for (const name of declaredNames(type)) {
    const [value, path] = [env[name], env[`${name}_FILE`]];
    if (path) {
      files[name] = path;
      input[name] = readSecretFile(`${name}_FILE`, path);
    } else if (value) input[name] = value;
  }
  const config = plainToInstance(type, input, { exposeDefaultValues: true });
  const problems = validateSync(config, { skipMissingProperties: false });
  if (problems.length > 0) {
    const lines = problems.map((p) => `  ${p.property}: ${Object.values(p.constraints ?? {}).join('; ')}`);
    throw new CanaryError(
      'bad-configuration',
      `these environment variables are missing or wrong:\n${lines.join('\n')}`,
    );
  }
  // Not enumerable: whoever prints a configuration has enough to be ashamed of.
  return Object.defineProperty(config, FILES, { value: files });
}

/**
 * The present value of a text that may have come from a file: files of secrets are replaced while services run. A file
 * that cannot be read, or is empty, leaves the value as it was.
 */
export function currentValue<T extends object, K extends keyof T & string>(config: T, name: K): T[K] {
  const path = (config as { readonly [FILES]?: Readonly<Record<string, string>> })[FILES]?.[name];
  if (path === undefined) return config[name];
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') config[name] = text as T[K];
  } catch {
    // It may just be replaced: then the next look finds it.
  }
  return config[name];
}

function declaredNames(type: new () => object): ReadonlySet<string> {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return new Set(rules.map((rule) => rule.propertyName));
}

function readSecretFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CanaryError(
      'bad-configuration',
      `${name}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

/** For numbers in the environment. */
export const ToNumber = (): PropertyDecorator =>
  Transform(({ value }) => (typeof value === 'string' ? Number(value) : (value as unknown)));
/** true/false, 1/0, yes/no, on/off. Anything else stays text, for IsBoolean to refuse. */
export const ToBoolean = (): PropertyDecorator =>
  Transform(({ value }) => {
    if (typeof value !== 'string' || !/^(1|true|yes|on|0|false|no|off)$/i.test(value)) return value as unknown;
    return /^(1|true|yes|on)$/i.test(value);
  });

const TOPIC_NAME = /^[a-zA-Z0-9.-]*$/;

/** What every service needs. */
export class ServiceConfig {
  /** Comma-separated host:port. `memory` is refused: the standalone app has its own wiring. */
  @IsString()
  @Matches(/^[^,\s]+:\d+(,[^,\s]+:\d+)*$/, { message: 'a comma-separated list of host:port, e.g. kafka-1:9092' })
  KAFKA_BROKERS!: string;

  /** TLS to Kafka. */
  @ToBoolean()
  @IsBoolean()
  KAFKA_SSL = false;

  /** Certificate authorities (PEM) instead of the system's. */
  @IsOptional()
  @IsString()
  KAFKA_SSL_CA?: string;

  /** Client certificate (PEM) for brokers that ask for one. */
  @IsOptional()
  @IsString()
  KAFKA_SSL_CERT?: string;

  /** Its private key (PEM). */
  @IsOptional()
  @IsString()
  KAFKA_SSL_KEY?: string;

  /** How to log in: plain, scram-sha-256 or scram-sha-512; unset: not at all. */
  @IsOptional()
  @IsIn(['plain', 'scram-sha-256', 'scram-sha-512'])
  KAFKA_SASL_MECHANISM?: 'plain' | 'scram-sha-256' | 'scram-sha-512';

  /** With KAFKA_SASL_MECHANISM. */
  @ValidateIf(({ KAFKA_SASL_MECHANISM }: ServiceConfig) => KAFKA_SASL_MECHANISM !== undefined)
  @IsString()
  KAFKA_SASL_USERNAME?: string;

  /** With KAFKA_SASL_MECHANISM. */
  @ValidateIf(({ KAFKA_SASL_MECHANISM }: ServiceConfig) => KAFKA_SASL_MECHANISM !== undefined)
  @IsString()
  KAFKA_SASL_PASSWORD?: string;

  /** Before every topic's name, e.g. `team-a.`. */
  @IsString()
  @Matches(TOPIC_NAME, { message: 'letters, digits, dots and hyphens only' })
  TOPIC_PREFIX = '';

  /** Replaces single names: role=name, comma-separated, e.g. outcome=ml.outcomes,label=ml.labels. */
  @IsOptional()
  @IsString()
  @Matches(new RegExp(`^((${TOPICS.join('|')})=[a-zA-Z0-9.-]+)(,(${TOPICS.join('|')})=[a-zA-Z0-9.-]+)*$`), {
    message: `role=name, comma-separated; roles: ${TOPICS.join(', ')}; names: letters, digits, dots and hyphens`,
  })
  TOPIC_NAMES?: string;

  /** `otlp`: spans go to OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP), as its standard variables say. */
  @IsIn(['off', 'otlp'])
  TRACES: 'off' | 'otlp' = 'off';

  /** Share of the predictions that bring no traceparent which is traced; those that bring one say it themselves. */
  @ToNumber()
  @IsNumber()
  @Min(0)
  @Max(1)
  TRACES_RATIO = 0;

  /** trace, debug, info, warn, error or silent. */
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
  LOG_LEVEL = 'info';

  /** Address to listen on; 0.0.0.0 for all. */
  @IsString()
  HTTP_HOST = '127.0.0.1';

  /** Port to listen on; 0 takes a free one. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(65_535)
  HTTP_PORT = 0;

  /** Name of this instance: in metrics, logs and router ids. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 100' })
  INSTANCE = 'local';
}

/** Topic names as a service is configured to use them. */
export function configuredTopics(config: ServiceConfig): TopicNames {
  const overrides: Partial<Record<TopicRole, string>> = {};
  for (const pair of config.TOPIC_NAMES?.split(',') ?? []) {
    const [role, name] = pair.split('=') as [TopicRole, string];
    overrides[role] = name;
  }
  return topicNames(config.TOPIC_PREFIX, overrides);
}

/** `prediction-outcome` and the others in one line each, for messages about missing topics. */
export const topicRoleOf = (names: TopicNames, name: string): TopicRole | undefined =>
  TOPICS.find((role) => names[role] === name && TOPIC_TABLE[role]);
