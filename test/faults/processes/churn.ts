import { churnConnections, type UsedConnection } from '../../../apps/router/src/testing/connection-churn.js';
import { seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { answerWith } from './child.js';

/** What the churn is asked: to begin, or for what came of it since it was asked last. */
export type ChurnQuestion =
  | {
      readonly kind: 'begin';
      readonly url: string;
      /** Of predictions. */
      readonly path: string;
      readonly connections: number;
      /** At once. */
      readonly concurrency: number;
      readonly seed: number;
    }
  | { readonly kind: 'progress' };

export interface ChurnProgress {
  /** Connections that are no more, since the last question. */
  readonly used: readonly UsedConnection[];
  /** All of them are no more. */
  readonly done: boolean;
}

/** All of loopback: their ports are enough for so many connections within the minute that a closed one lingers. */
const FROM = Array.from({ length: 8 }, (_, i) => `127.0.0.${i + 1}`);

let used: UsedConnection[] = [];
let done = true;

answerWith<ChurnQuestion, ChurnProgress>(async (question) => {
  if (question.kind === 'begin') begin(question);
  const progress = { used, done };
  used = [];
  return progress;
});

function begin({ url, seed, ...options }: Extract<ChurnQuestion, { kind: 'begin' }>): void {
  done = false;
  const random = seededRandom(seed);
  void churnConnections(url, { ...options, random, from: FROM, onOver: (one) => used.push(one) }).then(
    () => (done = true),
  );
}
