import { describe, expect, it } from 'vitest';
import { loadConfig, ServiceConfig } from './config.js';
import { configuredKafka } from './kafka-settings.js';
import { silentLogger } from './logger.js';

const settings = (env: Record<string, string>) =>
  configuredKafka(loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:1,b:2', ...env }), silentLogger);

describe('how a service reaches Kafka', () => {
  it('is in the clear and without a login unless told', () => {
    expect(settings({})).toEqual({ brokers: ['a:1', 'b:2'], clientId: 'local', logger: silentLogger });
  });

  it('takes TLS with an authority and a client certificate of its own', () => {
    expect(settings({ KAFKA_SSL: 'true' }).ssl).toEqual({});
    const own = settings({ KAFKA_SSL: 'true', KAFKA_SSL_CA: 'A', KAFKA_SSL_CERT: 'B', KAFKA_SSL_KEY: 'C' });
    expect(own.ssl).toEqual({ ca: 'A', cert: 'B', key: 'C' });
  });

  it('logs in by PLAIN or SCRAM, and never without both name and password', () => {
    const login = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: 'secret' };
    expect(settings(login).sasl).toEqual({ mechanism: 'scram-sha-512', username: 'me', password: 'secret' });
    expect(() => settings({ ...login, KAFKA_SASL_PASSWORD: '' })).toThrow(/KAFKA_SASL_PASSWORD/);
    expect(() => settings({ ...login, KAFKA_SASL_MECHANISM: 'gssapi' })).toThrow(/KAFKA_SASL_MECHANISM/);
  });
});
