import { REDIS_PREFIX, SealingConfig } from '@app/shared';
import { IsOptional, IsString, Matches } from 'class-validator';

/** Environment of the evaluator, beside what every service has. */
export class EvaluatorConfig extends SealingConfig {
  /** redis://[user:password@]host:port[/database], or rediss:// for TLS. With a password better in REDIS_URL_FILE. */
  @IsString()
  @Matches(/^rediss?:\/\/\S+$/, { message: 'redis://host:port or rediss://host:port' })
  REDIS_URL!: string;

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

  /** Before every Redis key; the controller that shows the windows needs the same. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,50}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 50' })
  REDIS_PREFIX = REDIS_PREFIX;

  /** Consumer groups of all evaluators that share the partitions; also the beginning of their transactional ids. */
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,200}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 200' })
  EVALUATOR_GROUP = 'evaluator';
}

/** What the evaluator itself needs to know; how it reaches Kafka and Redis is main.ts's. */
export type EvaluatorSettings = Pick<
  EvaluatorConfig,
  'HTTP_HOST' | 'HTTP_PORT' | 'INSTANCE' | 'TOPIC_PREFIX' | 'EVALUATOR_GROUP'
>;
