import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from './config.js';
import { silentLogger } from './logger.js';
import { configuredSealer, followSealingKeys, SealingConfig } from './sealing-config.js';

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

  describe('in a file', () => {
    let folder: string;
    let stop: () => void;
    beforeEach(() => {
      vi.useFakeTimers();
      folder = mkdtempSync(join(tmpdir(), 'sealing-keys-'));
    });
    afterEach(() => {
      stop();
      vi.useRealTimers();
      rmSync(folder, { recursive: true });
    });

    it('are rotated without a restart: the new one opens first, then seals, then the old one goes', () => {
      const [old, young] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
      const file = join(folder, 'keys');
      writeFileSync(file, `1:${old}`);
      const config = loadConfig(SealingConfig, { KAFKA_BROKERS: 'a:1', PREDICTION_ID_KEYS_FILE: file });
      const sealer = configuredSealer(config);
      stop = followSealingKeys(config, sealer, silentLogger);
      const rewrite = (keys: string): void => {
        writeFileSync(file, keys);
        vi.advanceTimersByTime(10_000);
      };
      const byNew = configuredSealer(load(`2:${young}`)).seal(attribution);
      const byOld = sealer.seal(attribution);
      expect(sealer.open(byNew).ok).toBe(false);
      rewrite(`1:${old},2:${young}`);
      expect([sealer.open(byNew).ok, sealer.open(byOld).ok]).toEqual([true, true]);
      expect(configuredSealer(load(`1:${old}`)).open(sealer.seal(attribution)).ok).toBe(true);
      rewrite(`2:${young},1:${old}`);
      expect(configuredSealer(load(`2:${young}`)).open(sealer.seal(attribution)).ok).toBe(true);
      rewrite(`2:${young}`);
      expect([sealer.open(byNew).ok, sealer.open(byOld).ok]).toEqual([true, false]);
    });

    it('that turn into nonsense are not taken, which is said without them', () => {
      const [old, short] = [randomBytes(32).toString('base64'), 'c2hvcnQ='];
      const file = join(folder, 'keys');
      writeFileSync(file, `1:${old}`);
      const config = loadConfig(SealingConfig, { KAFKA_BROKERS: 'a:1', PREDICTION_ID_KEYS_FILE: file });
      const sealer = configuredSealer(config);
      const error = vi.fn();
      const logger = Object.assign(Object.create(silentLogger) as typeof silentLogger, { error });
      stop = followSealingKeys(config, sealer, logger);
      writeFileSync(file, `1:${short}`);
      vi.advanceTimersByTime(20_000);
      expect(error).toHaveBeenCalledOnce();
      expect(JSON.stringify(error.mock.calls)).not.toContain(short);
      expect(configuredSealer(load(`1:${old}`)).open(sealer.seal(attribution)).ok).toBe(true);
    });
  });
});
