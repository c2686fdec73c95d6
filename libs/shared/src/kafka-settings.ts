import type { KafkaSettings } from './bus/kafka/kafka-client.js';
import type { ServiceConfig } from './config.js';
import type { Logger } from './logger.js';

/** How a service reaches Kafka, from its environment: brokers, TLS, login. */
export function configuredKafka(config: ServiceConfig, logger: Logger): KafkaSettings {
  const { KAFKA_SSL, KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key } = config;
  return {
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: config.INSTANCE,
    logger,
    ...(KAFKA_SSL ? { ssl: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) } } : {}),
    ...saslOf(config),
  };
}

function saslOf(config: ServiceConfig): Pick<KafkaSettings, 'sasl'> {
  // Without a mechanism nobody logs in; with one the configuration was refused unless both are there.
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (!mechanism || username === undefined || password === undefined) return {};
  switch (mechanism) {
    case 'plain':
      return { sasl: { mechanism, username, password } };
    case 'scram-sha-256':
      return { sasl: { mechanism, username, password } };
    case 'scram-sha-512':
      return { sasl: { mechanism, username, password } };
  }
}
