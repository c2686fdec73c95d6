import { describe, expect, it } from 'vitest';
import { ServiceConfig, configuredTopics, loadConfig } from './config.js';

describe('configuration', () => {
  it('names every bad variable at once and never prints a value', () => {
    const env = { KAFKA_BROKERS: 'secret-in-the-wrong-place', HTTP_PORT: '99999', LOG_LEVEL: 'loud' };
    const load = () => loadConfig(ServiceConfig, env);
    expect(load).toThrow(/KAFKA_BROKERS[\s\S]*LOG_LEVEL[\s\S]*HTTP_PORT/);
    expect(load).not.toThrow(/secret-in-the-wrong-place/);
  });

  it('fills in defaults and takes an empty variable for unset', () => {
    const config = loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:9092,b:9092', LOG_LEVEL: '' });
    expect(config).toMatchObject({ LOG_LEVEL: 'info', HTTP_PORT: 0 });
  });

  it('refuses a switch that is neither on nor off', () => {
    const load = (value: string) => loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:1', KAFKA_SSL: value }).KAFKA_SSL;
    expect([load('yes'), load('True'), load('0'), load('off')]).toEqual([true, true, false, false]);
    expect(() => load('ture')).toThrow(/KAFKA_SSL/);
  });

  it("reads secrets from files, of its own variables only: SSL_CERT_FILE is another program's", () => {
    const load = (env: Record<string, string>) => loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:1', ...env });
    expect(load({ SSL_CERT_FILE: '/nowhere' }).KAFKA_BROKERS).toBe('a:1');
    expect(() => load({ KAFKA_SASL_PASSWORD_FILE: '/nowhere' })).toThrow(/KAFKA_SASL_PASSWORD_FILE: .*ENOENT/);
  });

  it('renames topics by a prefix and one by one', () => {
    const config = loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:1', TOPIC_PREFIX: 'ml.', TOPIC_NAMES: 'label=truth' });
    expect(configuredTopics(config)).toMatchObject({ label: 'truth', outcome: 'ml.prediction-outcome' });
  });
});
