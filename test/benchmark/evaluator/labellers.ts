import { classHash, labelCodec, modelHash, PredictionIdSealer } from '@app/shared';
import { seededRandom } from '../../fixtures/seeded-random.js';
import { SEALING_SECRET } from './evaluators.js';
import { GENERATION, type RoutedRecord } from './routers.js';

export interface LabellersOptions {
  readonly model: string;
  readonly labels: number;
  /** Of the predictions that are labelled. */
  readonly perSecond: number;
  /** Routing time of the last prediction, ms since the epoch. */
  readonly untilMs: number;
  readonly partitions: number;
  readonly seed: number;
}

const CANARY_SHARE = 0.1;
const RIGHT = 0.95;
const CLASSES = Array.from({ length: 10 }, (_, i) => String(i));
const CLASS_HASHES = CLASSES.map(classHash);
const BUCKET_MS = 100;

/** A label of each prediction of a rollout, in the order of the predictions. */
export function* labelRecords(options: LabellersOptions): Generator<RoutedRecord> {
  const { model, labels, perSecond, untilMs, partitions, seed } = options;
  const random = seededRandom(seed);
  const sealer = new PredictionIdSealer([{ number: 0, secret: SEALING_SECRET }]);
  const hash = modelHash(model);
  for (let i = 0; i < labels; i++) {
    const routedAt = Math.floor(untilMs - ((labels - 1 - i) * 1000) / perSecond);
    const isCanary = random() < CANARY_SHARE;
    const predicted = Math.floor(random() * CLASSES.length);
    const truth = random() < RIGHT ? predicted : (predicted + 1) % CLASSES.length;
    const predictionId = sealer.seal({
      modelHash: hash,
      generation: GENERATION,
      versionIndex: isCanary ? 1 : 0,
      arm: isCanary ? 'canary' : 'stable',
      routedAt,
      sinceBucketMs: Math.floor(random() * BUCKET_MS),
      unit: Math.floor(random() * 64),
      segment: 0,
      // Together they make every id another one.
      routerHash: i >> 16,
      counter: i & 0xffff,
      valueKind: 'class',
      value: CLASS_HASHES[predicted]!,
      counted: true,
    });
    const value = labelCodec.encode({ predictionId, label: CLASSES[truth]!, occurredAt: routedAt });
    yield { partition: i % partitions, value: Buffer.from(value) };
  }
}
