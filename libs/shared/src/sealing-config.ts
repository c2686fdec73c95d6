import { IsString, Matches } from 'class-validator';
import { ServiceConfig } from './config.js';
import { CanaryError } from './errors.js';
import { PredictionIdSealer, type SealingKey } from './prediction-id.js';

/** Of services that seal or open prediction ids: routers and evaluators, with the same keys. */
export class SealingConfig extends ServiceConfig {
  /**
   * `number:secret`, comma-separated, the sealing one first; a secret is 32 bytes or more in base64 or base64url. Old
   * keys stay in the list as long as labels of their predictions may come. Better in a file: PREDICTION_ID_KEYS_FILE.
   */
  @IsString()
  @Matches(/^\s*\d{1,3}:[A-Za-z0-9+/_=-]{43,}(\s*,\s*\d{1,3}:[A-Za-z0-9+/_=-]{43,})*\s*$/, {
    message: 'number:secret, comma-separated; numbers 0..255, secrets of at least 32 bytes in base64',
  })
  PREDICTION_ID_KEYS!: string;
}

/** Throws CanaryError `bad-configuration` for keys that the sealer refuses, without a secret in its message. */
export function configuredSealer(config: SealingConfig): PredictionIdSealer {
  const keys = config.PREDICTION_ID_KEYS.split(',').map((pair): SealingKey => {
    const [number, secret] = pair.trim().split(':') as [string, string];
    return { number: Number(number), secret: Buffer.from(secret, 'base64') };
  });
  try {
    return new PredictionIdSealer(keys);
  } catch (error) {
    throw new CanaryError('bad-configuration', `PREDICTION_ID_KEYS: ${(error as Error).message}`);
  }
}
