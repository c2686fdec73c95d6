import { Scene } from './scene.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const SLOW = {
  code: 'latency-too-slow',
  text: 'accuracy is higher by 2.1 points (93.3 % against 91.2 %), but p99 latency is 145 ms against 84 ms [+54 ms, +68 ms], limit x1.2 or +20 ms (evidence 214 to 1, 100 to 1 rolls back)',
};
const WRONG = {
  code: 'accuracy-too-low',
  text: 'accuracy is 85.1 % (n 1,430) against 91.2 % (n 12,870), -6.1 points [-8.4, -3.8], limit -2 (evidence 187 to 1, 100 to 1 rolls back)',
};

/** One model in every state that a person may find one in. */
export function everyState(nowMs: number): Scene[] {
  const scene = (model: string, agoMs: number, kind: 'good' | 'slow' | 'wrong' = 'good') =>
    new Scene(model, { beginsAtMs: nowMs - agoMs, kind, seed: model.length });
  const byHand = [{ kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 1000, durationMs: MINUTE_MS } }, { kind: 'pause' }, { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 1000, durationMs: 10 * MINUTE_MS } }] as const; // prettier-ignore
  return [
    scene('digits', 200_000, 'slow').registered().gone(MINUTE_MS).started().watched(30).told('abort', 'wrong artefact').gone(9_000).started().watched(29).failed(SLOW), // prettier-ignore
    scene('fraud', 125_000).registered().started().watched(60).passed().watched(60),
    scene('ranking', 95_000).registered().started({ steps: byHand }).watched(60).passed(),
    scene('spam', 60_000).registered().started().watched(50).held({ code: 'no-labels', text: 'no labels of v2 have come within 1 min of their predictions, so accuracy is not known' }), // prettier-ignore
    scene('support-intent', 3 * HOUR_MS).registered().started().watched(40).passed().watched(40).passed().watched(60).passed(), // prettier-ignore
    scene('translation', 26 * HOUR_MS, 'wrong')
      .registered()
      .started()
      .watched(25)
      .failed(WRONG),
    scene('vision-tags', 20_000).registered().gone(10_000).applied().notReady('http://127.0.0.1:9/v2/health/ready answered 503'), // prettier-ignore
    scene('welcome', 50 * HOUR_MS).registered(),
    scene('churn', 5 * HOUR_MS).registered().started().watched(20).told('promote-full', 'tested offline').gone(MINUTE_MS).told('undo', 'customers complain'), // prettier-ignore
  ];
}

/** As many models as a large fleet has, most of them at rest. */
export function manyModels(count: number, nowMs: number): Scene[] {
  return Array.from({ length: count }, (_, i) => {
    const model = `model-${String(i).padStart(3, '0')}`;
    const scene = new Scene(model, {
      beginsAtMs: nowMs - 5 * HOUR_MS - i * MINUTE_MS,
      kind: i % 9 === 0 ? 'slow' : 'good',
      seed: i,
    }).registered();
    if (i % 4 === 3) return scene;
    scene.started().watched(3 + (i % 5));
    if (i % 10 === 0) return scene;
    if (i % 9 === 0) return scene.failed(SLOW);
    return i % 7 === 0 ? scene.told('pause', 'busy hours') : scene.told('promote-full', 'as planned');
  });
}
