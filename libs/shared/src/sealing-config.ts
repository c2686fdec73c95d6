import { IsString, Matches } from 'class-validator';
import { currentValue, ServiceConfig } from './config.js';
import { CanaryError } from './errors.js';
import type { Logger } from './logger.js';
import { PredictionIdSealer, type SealingKey } from './prediction-id.js';

const KEYS = /^\s*\d{1,3}:[A-Za-z0-9+/_=-]{43,}(\s*,\s*\d{1,3}:[A-Za-z0-9+/_=-]{43,})*\s*$/;
const KEYS_FORM = 'number:secret, comma-separated; numbers 0..255, secrets of at least 32 bytes in base64';

/** Of services that seal or open prediction ids: routers and evaluators, with the same keys. */
export class SealingConfig extends ServiceConfig {
  /**
   * `number:secret`, comma-separated, the sealing one first; a secret is 32 bytes or more in base64 or base64url. Old
   * keys stay in the list as long as labels of their predictions may come. Better in a file: PREDICTION_ID_KEYS_FILE.
   */
  @IsString()
  @Matches(KEYS, { message: KEYS_FORM })
  PREDICTION_ID_KEYS!: string;
}

/** How often a file of keys is looked at again. */
const LOOK_MS = 10_000;

/** Throws CanaryError `bad-configuration` for keys that the sealer refuses, without a secret in its message. */
export function configuredSealer(config: SealingConfig): PredictionIdSealer {
  return new PredictionIdSealer(sealingKeys(config.PREDICTION_ID_KEYS));
}

/**
 * Follows a file of keys: whoever changes them need not restart anything. Keys that cannot be used are said and not
 * taken. Returns how to stop.
 */
export function followSealingKeys(config: SealingConfig, sealer: PredictionIdSealer, logger: Logger): () => void {
  let known = config.PREDICTION_ID_KEYS;
  const timer = setInterval(() => {
    const text = currentValue(config, 'PREDICTION_ID_KEYS');
    if (text === known) return;
    known = text;
    try {
      const keys = sealingKeys(text);
      sealer.use(keys);
      logger.info({ seals: keys[0]!.number, opens: keys.map((key) => key.number) }, 'prediction id keys have changed');
    } catch (error) {
      logger.error({ reason: (error as Error).message }, 'the new prediction id keys cannot be used: the old ones are');
    }
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function sealingKeys(text: string): SealingKey[] {
  if (!KEYS.test(text)) throw new CanaryError('bad-configuration', `PREDICTION_ID_KEYS: ${KEYS_FORM}`);
  const keys = text.split(',').map((pair): SealingKey => {
    const [number, secret] = pair.trim().split(':') as [string, string];
    return { number: Number(number), secret: Buffer.from(secret, 'base64') };
  });
  try {
    PredictionIdSealer.check(keys);
  } catch (error) {
    throw new CanaryError('bad-configuration', `PREDICTION_ID_KEYS: ${(error as Error).message}`);
  }
  return keys;
}
