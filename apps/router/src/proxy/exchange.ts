import type { ServerResponse } from 'node:http';
import type { AnswerHead } from '../domain/answer-head.js';
import { armOfPoint } from '../domain/assignment.js';
import { PREDICTION_ID_HEADER, type RequestHead, VERSION_HEADER, answerHeaders } from '../domain/headers.js';
import { readSegment } from '../domain/segment.js';
import type { ServedModel, ServedVersion } from '../routing/served-model.js';
import { Attempt, type AttemptFault, type AttemptOwner } from './attempt.js';
import type { DataPlaneParts } from './data-plane.js';
import { type DirectRequest, NO_BODY } from './direct-request.js';
import { answerError, answerErrorEarly } from './error-answer.js';
import { mayHoldPrediction } from './held-answer.js';
import { type Ending, Prediction } from './prediction.js';
import { type Body, type BodyResult, RequestBody } from './request-body.js';
import type { Slotted } from './slot-list.js';
import { watchUnreadAnswer } from './unread-answer.js';
import { findUnit } from './unit.js';

/** What the client is told when no version answered. */
const NO_ANSWER: Readonly<Record<AttemptFault | 'overloaded', readonly [httpStatus: number, text: string]>> = {
  overloaded: [503, 'too many predictions at once'],
  timeout: [504, 'the model server did not answer in time'],
  unreachable: [502, 'the model server could not be reached'],
  'broke-off': [502, 'the model server broke off'],
  'malformed-head': [502, 'the model server did not answer with HTTP'],
  'head-too-long': [502, 'the model server answered with too many headers'],
  'ambiguous-length': [502, 'the model server did not say clearly how long its answer is'],
  'malformed-chunk': [502, 'the model server sent a chunk that is none'],
  'protocol-switch': [502, 'the model server wanted to speak another protocol'],
  'excess-bytes': [502, 'the model server sent more than its answer'],
};
const ONE_WRITE_BYTES_MAX = 16_384;
const NO_BYTES = Buffer.alloc(0);
const ignore = (): void => undefined;

/** One request of the data plane, from its head to the last byte of its answer: assign, forward, answer, record. */
export class Exchange implements AttemptOwner, Slotted {
  slot = -1;
  private reading: RequestBody | null = null;
  private body: Body | null = null;
  private attempt: Attempt | null = null;
  /** Null until it is routed, and for requests that are none: only a POST is. */
  private prediction: Prediction | null = null;
  private askedStable = false;
  private override = false;
  private newCookie: string | null = null;
  private firstByteMs: number | undefined;
  private httpStatus = 0;
  private answerHead: AnswerHead | null = null;
  /** The answer so far, while it is held back for the prediction in it. */
  private held: Buffer[] | null = null;
  private heldBytes = 0;
  private headSent = false;
  private finished = false;

  constructor(
    private readonly parts: DataPlaneParts,
    private readonly request: DirectRequest,
    private readonly response: ServerResponse,
    private readonly model: ServedModel,
    private readonly target: string,
    private readonly head: RequestHead,
  ) {
    response.on('close', () => this.onClientClosed());
    response.on('error', ignore); // a client that is gone; 'close' follows
  }

  /** Reads the body, if there is one, and goes on by itself. */
  begin(): void {
    if (!this.head.hasBody) {
      this.request.takeBody(NO_BODY);
      return this.route();
    }
    const { config, bodyMemory: memory } = this.parts;
    const limits = { bytesMax: config.ROUTER_BODY_BYTES_MAX, memory };
    this.reading = new RequestBody(this.request, limits, (result) => this.onBody(result));
  }

  /** The router is closing and cannot wait any longer. */
  cut(): void {
    this.response.destroy();
  }

  private onBody(result: BodyResult): void {
    if (this.finished) return;
    if (result.kind === 'complete') {
      this.body = result.body;
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
    const { clock, evidence, config, random } = this.parts;
    const { model, head } = this;
    const { salt, arms } = model.plan;
    const unit = findUnit(head, { salt, setCookie: config.ROUTER_USER_COOKIE, random });
    this.newCookie = unit.newCookie;
    this.override = head.override !== null;
    const arm = armOfPoint(arms, unit.point);
    const version = head.override === null ? model.arms[arm]! : model.versions.get(head.override);
    if (!version) return this.refuseOverride(head.override!);
    if (this.request.method === 'POST') {
      const atMs = clock.monotonicMs();
      const bucket = this.override ? null : evidence.route(model.routing, arm, atMs);
      const { segmentHeader } = model.plan.watched;
      const segment = segmentHeader === null ? null : readSegment(this.request.rawHeaders, segmentHeader);
      this.prediction = new Prediction(this.parts, { model, unit: unit.group, bucket, segment, atMs });
    }
    this.send(version);
    if (model.shadow !== null && this.prediction !== null && version !== model.shadow.version && !this.override)
      this.parts.shadows.offer(this.parts, model.shadow, this.prediction, {
        target: this.target,
        lines: head.lines,
        body: this.body,
      });
  }

  private refuseOverride(version: string): void {
    this.parts.metrics.countRefused(404);
    const known = [...this.model.versions.keys()].join(', ');
    this.finish();
    answerError(this.response, 404, `model ${this.model.plan.model} has no version ${version}; it has: ${known}`);
  }

  private send(version: ServedVersion): void {
    if (version.upstream.inFlight >= version.planned.maxConcurrency) {
      return this.endedBadly({ version, status: 'overloaded', httpStatus: 0, latencyMs: 0 }, 'overloaded');
    }
    const { target, body } = this;
    this.attempt = new Attempt(this, version, this.parts.clock.monotonicMs(), this.parts);
    this.attempt.send({ method: this.request.method!, target, lines: this.head.lines, body });
  }

  onHead(attempt: Attempt, head: AnswerHead): void {
    const { httpStatus } = head;
    const elapsedMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    if (httpStatus >= 500 && this.mayAskStable(attempt.version)) {
      attempt.discard();
      const { version } = attempt;
      return this.askStable({ version, status: 'error', httpStatus, latencyMs: elapsedMs, firstByteMs: elapsedMs });
    }
    this.httpStatus = httpStatus;
    this.answerHead = head;
    // Streams are judged by their first byte; other answers only if the rollout asks for it.
    if (this.model.plan.firstByte || head.contentLength === null) this.firstByteMs = elapsedMs;
    if (this.holdsPrediction(head)) {
      this.held = [];
    } else {
      this.sendHead();
      // The first event may be long in coming.
      if (head.framing === 'chunked' || head.framing === 'until-close') this.response.flushHeaders();
    }
  }

  onData(attempt: Attempt, bytes: Buffer): void {
    let chunk: Buffer = Buffer.from(bytes);
    if (this.held) {
      this.held.push(chunk);
      this.heldBytes += chunk.length;
      if (this.heldBytes <= this.parts.config.ROUTER_ANSWER_BYTES_MAX) return;
      chunk = Buffer.concat(this.held);
      this.held = null; // chunks that came to too much: streamed from here on, without the prediction in it
      this.sendHead();
    }
    if (this.response.write(chunk)) return;
    const { clock } = this.parts;
    attempt.pause(clock.monotonicMs());
    this.response.once('drain', () => attempt.resume(clock.monotonicMs()));
  }

  onEnd(attempt: Attempt, last: Buffer | null): void {
    const latencyMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    if (this.held) {
      const body = this.wholeBody(this.held, last);
      this.prediction!.answered(this.model.reader!.read(body));
      this.sendHead();
      this.endWith(body);
    } else if (last !== null) {
      this.endWith(last);
    } else {
      this.response.end();
    }
    const { httpStatus, firstByteMs } = this;
    const status = httpStatus < 400 ? 'ok' : 'error';
    this.prediction?.record({ version: attempt.version, status, httpStatus, latencyMs, firstByteMs });
    watchUnreadAnswer(this.response, this.parts);
    this.finish();
  }

  private wholeBody(held: readonly Buffer[], last: Buffer | null): Buffer {
    if (held.length === 0) return last ?? NO_BYTES;
    return Buffer.concat(last === null ? held : [...held, last]);
  }

  /** `body` may be bytes of the read. */
  private endWith(body: Buffer): void {
    // As text, which node:http puts behind the head in one piece: one write instead of two gathered ones.
    if (body.length <= ONE_WRITE_BYTES_MAX) this.response.end(body.toString('latin1'), 'latin1');
    else this.response.end(Buffer.from(body));
  }

  onFailure(attempt: Attempt, fault: AttemptFault): void {
    const latencyMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    const { version } = attempt;
    const { httpStatus, firstByteMs } = this;
    const status = fault === 'timeout' ? 'timeout' : 'error';
    version.metrics.countFault(fault);
    this.endedBadly({ version, status, httpStatus, latencyMs, firstByteMs }, fault);
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
      this.prediction?.record({ version, status: 'cancelled', httpStatus, latencyMs, firstByteMs });
    }
    this.finish();
  }

  private mayAskStable(version: ServedVersion): boolean {
    return (
      version !== this.model.stable &&
      !this.askedStable &&
      !this.override &&
      !this.headSent &&
      (this.body?.length ?? 0) <= this.parts.config.ROUTER_RETRY_BODY_BYTES_MAX
    );
  }

  /** The version did not answer: asks stable if that may be, or tells the client. */
  private endedBadly(ending: Ending, why: keyof typeof NO_ANSWER): void {
    const { version } = ending;
    if (this.mayAskStable(version)) return this.askStable(ending);
    this.held = null;
    if (this.headSent) {
      this.response.destroy();
    } else {
      const [httpStatus, text] = NO_ANSWER[why];
      this.headSent = true;
      answerError(this.response, httpStatus, text, this.ownHeaders(version));
    }
    this.prediction?.record(ending);
    this.finish();
  }

  private askStable(ending: Ending): void {
    this.held = null;
    this.heldBytes = 0;
    this.askedStable = true;
    this.prediction?.failedOver(ending);
    this.httpStatus = 0;
    this.firstByteMs = undefined;
    ending.version.metrics.fallbacks.inc();
    this.send(this.model.stable);
  }

  private holdsPrediction(head: AnswerHead): boolean {
    if (this.prediction === null || this.model.reader === null) return false;
    return mayHoldPrediction(head, this.parts.config.ROUTER_ANSWER_BYTES_MAX);
  }

  private sendHead(): void {
    const { version } = this.attempt!;
    const headers = answerHeaders(this.httpStatus, this.answerHead!.rawHeaders);
    headers.push(...this.ownHeaders(version));
    this.response.writeHead(this.httpStatus, headers);
    this.headSent = true;
    this.prediction?.recordFailOver(version);
  }

  private ownHeaders(version: ServedVersion): string[] {
    const headers = [VERSION_HEADER, version.planned.version];
    if (this.prediction) headers.push(PREDICTION_ID_HEADER, this.prediction.id(version));
    if (this.newCookie) headers.push('Set-Cookie', this.newCookie);
    if (this.parts.isDraining()) headers.push('Connection', 'close');
    return headers;
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    if (this.reading) this.parts.bodyMemory.give(this.reading.bytesTaken);
    this.parts.onFinished(this);
  }
}
