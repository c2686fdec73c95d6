/**
 * What every service needs, and no more: what loads much (ioredis, yaml, Nest's microservices) is in index.ts alone. The
 * router imports this one, for half of its memory would otherwise be modules that it does not use.
 */
export * from './clock.js';
export * from './errors.js';
export * from './result.js';
export * from './config.js';
export * from './logger.js';
export * from './service.js';
export * from './tracing/tracing.js';
export * from './version.js';
export * from './topics-admin.js';
export * from './health.js';
export * from './metrics/process-metrics.js';
export * from './prediction-id.js';
export * from './sealing-config.js';
export * from './bus/message-bus.js';
export * from './bus/murmur2.js';
export * from './bus/memory/memory-bus.js';
export * from './bus/kafka/kafka-bus.js';
export type { KafkaSettings } from './bus/kafka/kafka-client.js';
export * from './kafka-settings.js';
export * from './contracts/validation.js';
export * from './contracts/topics.js';
export * from './contracts/cloud-event.js';
export * from './contracts/prediction-outcome.js';
export * from './contracts/prediction-bins.js';
export * from './contracts/segments.js';
export * from './contracts/prediction-pair.js';
export * from './contracts/rollout-state.js';
