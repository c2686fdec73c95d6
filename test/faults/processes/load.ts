import { Agent, request } from 'node:http';
import { answerWith } from './child.js';
import { OWN_ERROR_HEADER } from './own-error.js';

/** What the load is asked: to begin, or for what came of it since it was asked last. */
export type LoadQuestion =
  | { readonly kind: 'begin'; readonly urls: readonly string[]; readonly model: string; readonly perSecond: number }
  | { readonly kind: 'figures' }
  | { readonly kind: 'end' };

export interface LoadFigures {
  /** Answered since the last question. */
  readonly answered: number;
  /** Not answered with 200, nor with an error that is the model's own. */
  readonly failed: number;
  readonly ownErrors: number;
  readonly failures: readonly string[];
  /** In no order. */
  readonly latenciesMs: Float64Array;
  /** Answers by version. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** Since the beginning, and still under way. */
  readonly inFlight: number;
}

const TURN_MS = 2;
const USERS = 10_000;
const FAILURES_KEPT = 5;
const BODY = Buffer.from(
  JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'INT64', data: [3, 1] }], filling: 'x'.repeat(500) }),
);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

let latenciesMs: number[] = [];
let failures: string[] = [];
let failed = 0;
let ownErrors = 0;
let byVersion: Record<string, number> = {};
let inFlight = 0;
let sent = 0;
let timer: NodeJS.Timeout | null = null;

answerWith<LoadQuestion, LoadFigures>(async (question) => {
  if (question.kind === 'begin') begin(question);
  if (question.kind === 'end') {
    if (timer) clearInterval(timer);
    while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return takeFigures();
});

/** Sends at a rate, whether answers come or not; a turn that came late is made up for. */
function begin({ urls, model, perSecond }: Extract<LoadQuestion, { kind: 'begin' }>): void {
  const targets = urls.map((url) => new URL(`/v2/models/${model}/infer`, url));
  const beganMs = performance.now();
  timer = setInterval(() => {
    const due = ((performance.now() - beganMs) / 1000) * perSecond;
    // What could not be sent for a long time is not sent all at once: that would be another load.
    sent = Math.max(sent, Math.floor(due) - perSecond / 10);
    while (sent < due) send(targets[sent % targets.length]!, sent++);
  }, TURN_MS);
}

function send(target: URL, number: number): void {
  const sentMs = performance.now();
  inFlight++;
  const headers = {
    'content-type': 'application/json',
    'content-length': BODY.length,
    'x-user-id': `user-${(number * 7919) % USERS}`,
  };
  let isOver = false;
  const over = (failure: string | null, version?: string): void => {
    if (isOver) return;
    isOver = true;
    inFlight--;
    latenciesMs.push(performance.now() - sentMs);
    if (version !== undefined) byVersion[version] = (byVersion[version] ?? 0) + 1;
    if (failure === null) return;
    failed++;
    if (failures.length < FAILURES_KEPT) failures.push(failure);
  };
  const asking = request(target, { method: 'POST', agent, headers }, (response) => {
    response.resume();
    response.once('end', () => {
      const { statusCode, headers: answered } = response;
      const isOwnError = answered[OWN_ERROR_HEADER] !== undefined;
      if (isOwnError) ownErrors++;
      over(statusCode === 200 || isOwnError ? null : `status ${statusCode}`, String(answered['x-model-version']));
    });
    response.once('close', () => over('the answer was cut off'));
  });
  asking.once('error', (error) => over(String(error)));
  asking.end(BODY);
}

function takeFigures(): LoadFigures {
  const figures = { answered: latenciesMs.length, failed, ownErrors, failures, byVersion, inFlight };
  const taken = { ...figures, latenciesMs: Float64Array.from(latenciesMs) };
  latenciesMs = [];
  failures = [];
  failed = 0;
  ownErrors = 0;
  byVersion = {};
  return taken;
}
