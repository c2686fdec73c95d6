import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { OutcomeStatus } from '@app/shared';
import { armOfPoint, assignmentPoint, userGroup } from '../domain/assignment.js';
import type { Bucket } from '../domain/bucket-cutter.js';
import {
  PREDICTION_ID_HEADER,
  type RequestHead,
  VERSION_HEADER,
  answerHeaders,
  setUnitCookie,
} from '../domain/headers.js';
import { NO_VALUE, type PredictionValue } from '../domain/prediction-value.js';
import type { ServedModel, ServedVersion } from '../routing/served-model.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import type { DataPlaneParts } from './data-plane.js';
import { answerError, answerErrorEarly } from './error-answer.js';
import { type BodyResult, RequestBody } from './request-body.js';

/** How a prediction ended at a version. */
interface Ending {
  readonly version: ServedVersion;
  readonly status: OutcomeStatus;
  readonly httpStatus: number;
  readonly latencyMs: number;
  readonly firstByteMs?: number;
}

/** What the client is told when no version answered. */
const NO_ANSWER: Readonly<Record<'error' | 'timeout' | 'overloaded', { httpStatus: number; text: string }>> = {
  error: { httpStatus: 502, text: 'the model server could not be reached or broke off' },
  timeout: { httpStatus: 504, text: 'the model server did not answer in time' },
  overloaded: { httpStatus: 503, text: 'too many predictions at once' },
};
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const SINCE_BUCKET_MS_MAX = 65_535;

/** One request of the data plane, from its head to the last byte of its answer: assign, forward, answer, record. */
export class Exchange implements AttemptOwner {
  private readonly isPrediction: boolean;
  private body: RequestBody | null = null;
  private bytes: Buffer | null = null;
  private attempt: Attempt | null = null;
  /** How it ended at the version it was assigned to, when stable is asked in its place. */
  private failed: Ending | null = null;
  private bucket: Bucket | null = null;
  private override = false;
  private unit = 0;
  private newCookie: string | null = null;
  private routedAtMs = 0;
  private firstByteMs: number | undefined;
  private httpStatus = 0;
  private rawHeaders: readonly string[] = [];
  /** The answer so far, while it is held back for the prediction in it. */
  private held: Buffer[] | null = null;
  private value: PredictionValue = NO_VALUE;
  private predictionId: string | null = null;
  private headSent = false;
  private recorded = false;
  private finished = false;

  constructor(
    private readonly parts: DataPlaneParts,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly model: ServedModel,
    private readonly target: string,
    private readonly head: RequestHead,
  ) {
    this.isPrediction = request.method === 'POST';
    response.on('close', () => this.onClientClosed());
    response.on('error', () => undefined); // a client that is gone; 'close' follows
  }

  /** Reads the body, if there is one, and goes on by itself. */
  begin(): void {
    if (!this.head.hasBody) return this.route();
    const { config, bodyMemory: memory } = this.parts;
    const limits = { bytesMax: config.ROUTER_BODY_BYTES_MAX, memory };
    this.body = new RequestBody(this.request, limits, (result) => this.onBody(result));
  }

  /** The router is closing and cannot wait any longer. */
  cut(): void {
    this.response.destroy();
  }

  private onBody(result: BodyResult): void {
    if (this.finished) return;
    if (result.kind === 'complete') {
      this.bytes = result.body;
      return this.route();
    }
    const [code, text] =
      result.kind === 'too-long'
        ? ([413, 'the request body is too long'] as const)
        : ([503, 'too many request bodies at once'] as const);
    this.parts.metrics.countRefused(code);
    this.finish();
    answerErrorEarly(this.request, this.response, code, text);
  }

  private route(): void {
    const { clock, evidence } = this.parts;
    const { model, head } = this;
    const point = this.assign();
    this.routedAtMs = clock.monotonicMs();
    if (head.override !== null) {
      const version = model.versions.get(head.override);
      if (!version) return this.refuseOverride(head.override);
      this.override = true;
      return this.send(version);
    }
    const arm = armOfPoint(model.plan.arms, point);
    if (this.isPrediction) this.bucket = evidence.route(model.routing, arm, this.routedAtMs);
    this.send(model.arms[arm]!);
  }

  /** Finds the user, or takes the request for one: the user's point and group. */
  private assign(): number {
    const { config, random } = this.parts;
    let unit = this.head.user ?? this.head.cookieUnit;
    if (unit === null && config.ROUTER_USER_COOKIE) {
      unit = Array.from({ length: 4 }, () => hex32(random())).join('');
      this.newCookie = setUnitCookie(unit);
    }
    if (unit === null) {
      this.unit = Math.floor(random() * 64);
      return Math.floor(random() * 10_000);
    }
    this.unit = userGroup(unit);
    return assignmentPoint(this.model.plan.salt, unit);
  }

  private refuseOverride(version: string): void {
    this.parts.metrics.countRefused(404);
    const known = [...this.model.versions.keys()].join(', ');
    this.finish();
    answerError(this.response, 404, `model ${this.model.plan.model} has no version ${version}; it has: ${known}`);
  }

  private send(version: ServedVersion): void {
    const { clock, deadlines } = this.parts;
    if (version.upstream.inFlight >= version.planned.maxConcurrency) {
      return this.endedBadly({ version, status: 'overloaded', httpStatus: 0, latencyMs: 0 });
    }
    this.attempt = new Attempt(this, version, clock.monotonicMs(), deadlines);
    const { target, bytes } = this;
    const { headers } = this.head;
    version.upstream.dispatch({ method: this.request.method!, target, headers, body: bytes }, this.attempt);
  }

  onHead(attempt: Attempt, httpStatus: number, rawHeaders: readonly string[], headers: IncomingHttpHeaders): void {
    const elapsedMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    if (httpStatus >= 500 && this.mayAskStable(attempt.version)) {
      attempt.discard();
      const { version } = attempt;
      return this.endedBadly({ version, status: 'error', httpStatus, latencyMs: elapsedMs, firstByteMs: elapsedMs });
    }
    this.httpStatus = httpStatus;
    this.rawHeaders = rawHeaders;
    // Streams are judged by their first byte; other answers only if the rollout asks for it.
    if (this.model.plan.firstByte || headers['content-length'] === undefined) this.firstByteMs = elapsedMs;
    if (this.holdsPrediction(httpStatus, headers)) this.held = [];
    else this.sendHead();
  }

  onData(attempt: Attempt, chunk: Buffer): void {
    if (this.held) {
      this.held.push(chunk);
    } else if (!this.response.write(chunk)) {
      const { clock } = this.parts;
      attempt.pause(clock.monotonicMs());
      this.response.once('drain', () => attempt.resume(clock.monotonicMs()));
    }
  }

  onEnd(attempt: Attempt): void {
    const latencyMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    if (this.held) {
      const body = this.held.length === 1 ? this.held[0]! : Buffer.concat(this.held);
      this.value = this.model.reader!.read(body);
      this.sendHead();
      this.response.end(body);
    } else {
      this.response.end();
    }
    const { httpStatus, firstByteMs } = this;
    const status = httpStatus < 400 ? 'ok' : 'error';
    this.record({ version: attempt.version, status, httpStatus, latencyMs, firstByteMs });
    this.finish();
  }

  onFailure(attempt: Attempt, status: 'error' | 'timeout'): void {
    const latencyMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    const { version } = attempt;
    this.endedBadly({ version, status, httpStatus: this.httpStatus, latencyMs, firstByteMs: this.firstByteMs });
  }

  onStalledClient(): void {
    this.response.destroy();
  }

  private onClientClosed(): void {
    if (this.finished) return;
    if (this.attempt) {
      this.attempt.abort();
      const latencyMs = this.attempt.elapsedMs(this.parts.clock.monotonicMs());
      const { version } = this.attempt;
      const { httpStatus, firstByteMs } = this;
      this.record({ version, status: 'cancelled', httpStatus, latencyMs, firstByteMs });
    }
    this.finish();
  }

  private mayAskStable(version: ServedVersion): boolean {
    return (
      version !== this.model.stable &&
      this.failed === null &&
      !this.override &&
      !this.headSent &&
      (this.bytes?.length ?? 0) <= this.parts.config.ROUTER_RETRY_BODY_BYTES_MAX
    );
  }

  /** The version did not answer, or with a server error: asks stable if that may be, or tells the client. */
  private endedBadly(ending: Ending): void {
    const { version, status } = ending;
    this.held = null;
    if (this.mayAskStable(version)) {
      this.failed = ending;
      this.httpStatus = 0;
      this.firstByteMs = undefined;
      version.metrics.fallbacks.inc();
      return this.send(this.model.stable);
    }
    if (this.headSent) {
      this.response.destroy();
    } else {
      const { httpStatus, text } = NO_ANSWER[status as keyof typeof NO_ANSWER];
      this.headSent = true;
      answerError(this.response, httpStatus, text, this.ownHeaders(version));
    }
    this.record(ending);
    this.finish();
  }

  private holdsPrediction(httpStatus: number, headers: IncomingHttpHeaders): boolean {
    if (!this.isPrediction || this.model.reader === null || httpStatus >= 300) return false;
    const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = headers;
    if (encoding !== undefined || type === undefined || length === undefined || !JSON_TYPE.test(type)) return false;
    return Number(length) <= this.parts.config.ROUTER_ANSWER_BYTES_MAX;
  }

  private sendHead(): void {
    const { version } = this.attempt!;
    const headers = answerHeaders(this.rawHeaders);
    headers.push(...this.ownHeaders(version));
    this.response.writeHead(this.httpStatus, headers);
    this.headSent = true;
    // The id of an answer that stable gives in another's place is known now, and so is how the other ended.
    if (this.failed) this.record(this.failed);
  }

  private ownHeaders(version: ServedVersion): string[] {
    const headers = [VERSION_HEADER, version.planned.version];
    if (this.isPrediction) headers.push(PREDICTION_ID_HEADER, this.seal(version));
    if (this.newCookie) headers.push('Set-Cookie', this.newCookie);
    if (this.parts.isDraining()) headers.push('Connection', 'close');
    return headers;
  }

  /** The id of this prediction, which says what `version` answered. */
  private seal(version: ServedVersion): string {
    const { sealer, evidence } = this.parts;
    return (this.predictionId ??= sealer.seal({
      modelHash: this.model.modelHash,
      generation: this.model.plan.generation,
      versionIndex: version.planned.index,
      arm: version.planned.role,
      routedAt: this.routedAtWallMs(),
      sinceBucketMs: this.sinceBucketMs(),
      unit: this.unit,
      segment: 0,
      routerHash: evidence.routerHash,
      counter: this.parts.nextCounter(),
      valueKind: this.value.kind,
      value: this.value.sealed,
      counted: this.bucket !== null && this.failed === null,
    }));
  }

  /** Wall-clock time of the routing, by the bucket's own clock where there is one: strata are made of whole buckets. */
  private routedAtWallMs(): number {
    const { clock } = this.parts;
    if (this.bucket) return this.bucket.routedFromMs + this.sinceBucketMs();
    return Math.round(clock.nowMs() - (clock.monotonicMs() - this.routedAtMs));
  }

  private sinceBucketMs(): number {
    if (!this.bucket) return 0;
    return Math.min(SINCE_BUCKET_MS_MAX, Math.floor(this.routedAtMs - this.bucket.openedAtMs));
  }

  /** Puts out the one outcome of this prediction: that of the version it was assigned to. */
  private record(ending: Ending): void {
    if (!this.isPrediction || this.recorded) return;
    this.recorded = true;
    const { version, status, httpStatus, latencyMs, firstByteMs } = this.failed ?? ending;
    version.metrics.predictions[status].inc();
    version.metrics.seconds.observe(latencyMs / 1000);
    this.parts.evidence.record(version, this.bucket, {
      predictionId: this.predictionId ?? this.seal(ending.version),
      bucket: this.bucket?.number ?? null,
      unit: this.unit,
      routedAtMs: this.routedAtWallMs(),
      latencyMs,
      firstByteMs,
      status,
      httpStatus,
      prediction: this.failed ? undefined : this.value.shown,
      fallback: this.failed !== null,
      override: this.override,
    });
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    if (this.body) this.parts.bodyMemory.give(this.body.bytesTaken);
    this.parts.onFinished(this);
  }
}

function hex32(uniform: number): string {
  return Math.floor(uniform * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
}
