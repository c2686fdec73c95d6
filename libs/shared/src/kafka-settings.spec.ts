import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { loadConfig, ServiceConfig } from './config.js';
import { configuredKafka } from './kafka-settings.js';
import { silentLogger } from './logger.js';

const settings = (env: Record<string, string>) =>
  configuredKafka(loadConfig(ServiceConfig, { KAFKA_BROKERS: 'a:1,b:2', ...env }), silentLogger, 'router');

describe('how a service reaches Kafka', () => {
  it('is in the clear and without a login unless told', () => {
    expect(settings({})).toMatchObject({ brokers: ['a:1', 'b:2'], clientId: 'router-local' });
    expect(settings({}).credentials!()).toEqual({});
  });

  it('takes TLS with what the system trusts, or with an authority of its own', () => {
    expect(settings({ KAFKA_SSL: 'true' }).credentials!().ssl).toEqual({});
    const own = { KAFKA_SSL: 'true', KAFKA_SSL_CA: tls.rootCertificates[0]! };
    expect(settings(own).credentials!().ssl).toEqual({ ca: tls.rootCertificates[0] });
  });

  it('refuses certificates and keys that are none, do not belong together, and prints none of them', () => {
    const refused = (env: Record<string, string>): string => {
      try {
        settings({ KAFKA_SSL: 'true', ...env });
      } catch (error) {
        return (error as Error).message;
      }
      return 'not refused';
    };
    expect(refused({ KAFKA_SSL_CERT: 'rubbish' })).toMatch(/KAFKA_SSL_KEY.*missing/);
    expect(refused({ KAFKA_SSL_CERT: 'rubbish', KAFKA_SSL_KEY: 'c2VjcmV0' })).toMatch(/no PEM/);
    expect(refused({ KAFKA_SSL_CERT: 'rubbish', KAFKA_SSL_KEY: 'c2VjcmV0' })).not.toMatch(/c2VjcmV0/);
  });

  it('logs in by PLAIN or SCRAM, and never without both name and password', () => {
    const login = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: 'secret' };
    const sasl = { mechanism: 'scram-sha-512', username: 'me', password: 'secret' };
    expect(settings(login).credentials!().sasl).toEqual(sasl);
    expect(() => settings({ ...login, KAFKA_SASL_PASSWORD: '' })).toThrow(/KAFKA_SASL_PASSWORD/);
    expect(() => settings({ ...login, KAFKA_SASL_MECHANISM: 'gssapi' })).toThrow(/KAFKA_SASL_MECHANISM/);
  });

  it('reads a password anew from its file for each connection, and keeps the last one while there is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-settings-'));
    const file = join(folder, 'password');
    writeFileSync(file, 'first\n');
    const { credentials } = settings({
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'me',
      KAFKA_SASL_PASSWORD_FILE: file,
    });
    const password = () => (credentials!().sasl as { password: string }).password;
    expect(password()).toBe('first');
    writeFileSync(file, 'second');
    expect(password()).toBe('second');
    writeFileSync(file, '');
    expect(password()).toBe('second');
    rmSync(folder, { recursive: true });
    expect(password()).toBe('second');
  });
});
