import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BusBatch,
  type BusFollower,
  type BusRecord,
  cloudEventData,
  type Decision,
  decisionCodec,
  type Logger,
  type MessageBus,
  type RolloutState,
  type TopicNames,
  type Verdict,
} from '@app/shared';
import { readVerdictRecord } from '../ownership/read-record.js';
import type { EventLog } from './event-log.js';
import { type LogPlace, placeOf } from './log-positions.js';
import type { ModelDirectory } from './model-directory.js';
import type { VerdictHistory } from './verdict-history.js';

export interface RolloutJournalDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly directory: ModelDirectory;
  readonly verdictHistory: VerdictHistory;
}

/** How far back it begins, in each partition: enough to show, little enough to start at once. */
const DECISIONS_READ_BACK = 20_000;
const VERDICTS_READ_BACK = 2_000;
const TRY_AGAIN_MS = 500;
/** Decisions kept of a model. */
const DECISIONS_KEPT = 200;

/** The newest decisions and the last verdict of every model, for people to look at. */
export class RolloutJournal {
  private readonly decisions = new Map<string, Decision[]>();
  private readonly verdicts = new Map<string, Verdict>();
  private follower: BusFollower | null = null;
  private readonly closed = new AbortController();
  private readonly beginning: Promise<void>;

  constructor(private readonly deps: RolloutJournalDeps) {
    this.beginning = this.begin();
  }

  /** Oldest first, without gaps up to the newest the state knows of; `limit` of the newest. */
  history(state: RolloutState, limit: number): Decision[] {
    const bySequence = new Map<number, Decision>();
    for (const decision of this.decisions.get(state.model) ?? []) bySequence.set(decision.sequence, decision);
    for (const decision of state.decisions) bySequence.set(decision.sequence, decision);
    return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence).slice(-limit);
  }

  /** The last verdict about the model's open rollout, or about the last one. */
  lastVerdict(state: RolloutState): Verdict | null {
    const verdict = this.verdicts.get(state.model);
    return verdict && verdict.rollout === state.rollout?.rollout ? verdict : null;
  }

  async close(): Promise<void> {
    this.closed.abort();
    await this.beginning;
    await this.follower?.close();
  }

  /** Looks where the topics end, and follows them from somewhat before that. Goes on trying until it is closed. */
  private async begin(): Promise<void> {
    const { bus, topics, logger, events, directory } = this.deps;
    // Whose rollout a verdict is about is known from the states.
    await directory.caughtUp;
    while (!this.closed.signal.aborted) {
      try {
        const [decisions, verdicts] = await Promise.all([
          this.startsOf(topics.decision, DECISIONS_READ_BACK),
          this.startsOf(topics.verdict, VERDICTS_READ_BACK),
        ]);
        for (const [partition, offset] of decisions) events.begin(placeOf('decision', partition), offset);
        for (const [partition, offset] of verdicts) events.begin(placeOf('verdict', partition), offset);
        this.follower = bus.follower({
          topics: [topics.decision, topics.verdict],
          readCommitted: true,
          start: ({ topic, partition }) => (topic === topics.decision ? decisions : verdicts).get(partition),
          onBatch: (batch) => this.read(batch),
          onError: (error) =>
            logger.warn({ err: error }, 'following decisions and verdicts failed, it goes on by itself'),
        });
        return;
      } catch (error) {
        logger.warn({ err: error }, 'decisions and verdicts cannot be followed yet; trying again');
        await sleep(TRY_AGAIN_MS, undefined, { signal: this.closed.signal }).catch(() => undefined);
      }
    }
  }

  private async startsOf(topic: string, back: number): Promise<Map<number, number>> {
    const ranges = await this.deps.bus.offsets(topic);
    return new Map(ranges.map(({ partition, low, end }) => [partition, Math.max(low, end - back)]));
  }

  private read({ topic, partition, records, nextOffset }: BusBatch): void {
    const kind = topic === this.deps.topics.decision ? 'decision' : 'verdict';
    const place = placeOf(kind, partition);
    for (const record of records) {
      if (kind === 'decision') this.readDecision(record, place);
      else this.readVerdict(record, place);
    }
    this.deps.events.passed(place, nextOffset);
  }

  private readDecision(record: BusRecord, place: LogPlace): void {
    const decoded = decisionCodec.decode(cloudEventData(record.value, record.headers ?? {}));
    if (!decoded.ok) return; // nobody's to repair: the state has the newest ones too
    const decision = decoded.value;
    const { model } = decision;
    const known = this.decisions.get(model) ?? [];
    if ((known.at(-1)?.sequence ?? 0) >= decision.sequence) return;
    known.push(decision);
    this.decisions.set(model, known.slice(-DECISIONS_KEPT));
    this.deps.events.add({ place, offset: record.offset, event: { kind: 'decision', model, data: decision } });
  }

  private readVerdict(record: BusRecord, place: LogPlace): void {
    const read = readVerdictRecord(record);
    if (read.kind !== 'verdict') return; // the owner of the partition deals with what is no verdict
    const { verdict } = read;
    const { model } = verdict;
    this.verdicts.set(model, verdict);
    const rollout = this.deps.directory.find(model)?.rollout;
    if (rollout?.rollout === verdict.rollout) this.deps.verdictHistory.add(verdict, rollout.startedAt);
    this.deps.events.add({ place, offset: record.offset, event: { kind: 'verdict', model, data: verdict } });
  }
}
