import { CanaryError } from './errors.js';
import type { SealingKey } from './prediction-id.js';

/** Form of PREDICTION_ID_KEYS: `number:base64` pairs, comma-separated; the first seals, all open. */
export const SEALING_KEYS_PATTERN = /^\d{1,3}:[A-Za-z0-9+/_-]{43,}={0,2}(,\d{1,3}:[A-Za-z0-9+/_-]{43,}={0,2})*$/;

/** Reads PREDICTION_ID_KEYS. Throws CanaryError `bad-configuration`, never with a key in it. */
export function parseSealingKeys(text: string): readonly SealingKey[] {
  if (!SEALING_KEYS_PATTERN.test(text))
    throw new CanaryError(
      'bad-configuration',
      'PREDICTION_ID_KEYS: number:base64 pairs, comma-separated, each of at least 32 bytes (openssl rand -base64 32)',
    );
  return text.split(',').map((pair) => {
    const [number, secret] = pair.split(':') as [string, string];
    return { number: Number(number), secret: Buffer.from(secret, 'base64') };
  });
}
