import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { plainToInstance, Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, Min, validateSync } from 'class-validator';
import { CanaryError } from './errors.js';
import { type TopicNames, TOPICS, TOPIC_TABLE, type TopicRole, topicNames } from './contracts/topics.js';

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads a class-validator class from environment variables named as its properties. An empty variable counts as unset.
 * `NAME_FILE` names a file that holds the value of NAME (secrets). Throws CanaryError `bad-configuration` naming every
 * bad variable, never its value.
 */
export function loadConfig<T extends object>(type: new () => T, env: Env): T {
  const input: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    if (name.endsWith('_FILE')) input[name.slice(0, -5)] = readSecretFile(name, value);
    else input[name] ??= value;
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
  return config;
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
/** true/false, 1/0, yes/no. */
export const ToBoolean = (): PropertyDecorator =>
  Transform(({ value }) => (typeof value === 'string' ? /^(1|true|yes|on)$/i.test(value) : (value as unknown)));

const TOPIC_NAME = /^[a-zA-Z0-9.-]*$/;

/** What every service needs. */
export class ServiceConfig {
  /** Comma-separated host:port. `memory` is refused: the standalone app has its own wiring. */
  @IsString()
  @Matches(/^[^,\s]+:\d+(,[^,\s]+:\d+)*$/, { message: 'a comma-separated list of host:port, e.g. kafka-1:9092' })
  KAFKA_BROKERS!: string;

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

  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
  LOG_LEVEL = 'info';

  @IsString()
  HTTP_HOST = '127.0.0.1';

  /** 0 takes a free port. */
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
