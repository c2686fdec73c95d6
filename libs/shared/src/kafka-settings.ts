import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { KafkaSettings } from './bus/kafka/kafka-client.js';
import { currentValue, type ServiceConfig } from './config.js';
import { CanaryError } from './errors.js';
import type { Logger } from './logger.js';

/**
 * How a service reaches Kafka, from its environment: brokers, TLS, login. Certificates and passwords that come from files
 * are read again for each new connection. `service` begins the names of its groups of one. Throws CanaryError
 * `bad-configuration` for certificates and keys that are none.
 */
export function configuredKafka(config: ServiceConfig, logger: Logger, service: string): KafkaSettings {
  checkCertificates(config);
  return {
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: `${service}-${config.INSTANCE}`,
    logger,
    credentials: () => ({ ...tlsOf(config), ...saslOf(config) }),
  };
}

function tlsOf(config: ServiceConfig): Pick<KafkaSettings, 'ssl'> {
  if (!config.KAFKA_SSL) return {};
  const ca = currentValue(config, 'KAFKA_SSL_CA');
  const cert = currentValue(config, 'KAFKA_SSL_CERT');
  const key = currentValue(config, 'KAFKA_SSL_KEY');
  return { ssl: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) } };
}

function saslOf(config: ServiceConfig): Pick<KafkaSettings, 'sasl'> {
  // Without a mechanism nobody logs in; with one the configuration was refused unless both are there.
  const { KAFKA_SASL_MECHANISM: mechanism } = config;
  const username = currentValue(config, 'KAFKA_SASL_USERNAME');
  const password = currentValue(config, 'KAFKA_SASL_PASSWORD');
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

/** OpenSSL's words about a key hold nothing of it. */
function checkCertificates({ KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }: ServiceConfig): void {
  const wrong = (what: string): CanaryError => new CanaryError('bad-configuration', what);
  if ((cert === undefined) !== (key === undefined))
    throw wrong('KAFKA_SSL_CERT and KAFKA_SSL_KEY belong together: one of them is missing');
  try {
    createSecureContext({ ca, cert, key });
  } catch (error) {
    throw wrong(
      `KAFKA_SSL_CA, KAFKA_SSL_CERT or KAFKA_SSL_KEY is no PEM that can be used: ${(error as Error).message}`,
    );
  }
  if (cert !== undefined && new X509Certificate(cert).validToDate.getTime() < Date.now())
    throw wrong(`KAFKA_SSL_CERT has expired (${new X509Certificate(cert).validTo}): it has to be renewed`);
}
