import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.js';
import { configuredSealer, SealingConfig } from './sealing-config.js';

const load = (keys: string) => loadConfig(SealingConfig, { KAFKA_BROKERS: 'a:1', PREDICTION_ID_KEYS: keys });
const attribution = {
  modelHash: 1,
  generation: 1,
  versionIndex: 0,
  arm: 'stable',
  routedAt: 1,
  sinceBucketMs: 0,
  unit: 0,
  segment: 0,
  routerHash: 0,
  counter: 0,
  valueKind: 'none',
  value: 0,
  counted: true,
} as const;

describe('sealing keys', () => {
  it('seal with the first and open with all of them', () => {
    const [old, current] = [randomBytes(32).toString('base64'), randomBytes(48).toString('base64url')];
    const id = configuredSealer(load(`7:${old}`)).seal(attribution);
    expect(configuredSealer(load(`8:${current}, 7:${old}`)).open(id)).toEqual({ ok: true, value: attribution });
    expect(configuredSealer(load(`8:${current}`)).open(id)).toMatchObject({ ok: false });
  });

  it('that are no keys are refused without being printed', () => {
    const secret = randomBytes(32).toString('base64');
    for (const bad of [secret, `1:${secret.slice(0, 20)}`, `999:${secret}`, `1:${secret},1:${secret}`])
      expect(() => configuredSealer(load(bad))).toThrow(/PREDICTION_ID_KEYS/);
    expect(() => load(secret)).not.toThrow(new RegExp(secret.slice(0, 12).replace(/[+/]/g, '.')));
  });
});
