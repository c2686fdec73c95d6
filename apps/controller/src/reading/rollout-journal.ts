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
import { decisionEvent, EventLog, verdictEvent } from './event-log.js';

export interface RolloutJournalDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly logger: Logger;
}

/** How far back it begins, in each partition: enough to show, little enough to start at once. */
const DECISIONS_READ_BACK = 20_000;
const VERDICTS_READ_BACK = 2_000;
const TRY_AGAIN_MS = 500;
/** Decisions kept of a model. */
const DECISIONS_KEPT = 200;

/** The newest decisions and the last verdict of every model, for people to look at. */
export class RolloutJournal {
  readonly events = new EventLog();
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
    const { bus, topics, logger } = this.deps;
    while (!this.closed.signal.aborted) {
      try {
        const [decisions, verdicts] = await Promise.all([
          this.startsOf(topics.decision, DECISIONS_READ_BACK),
          this.startsOf(topics.verdict, VERDICTS_READ_BACK),
        ]);
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

  private read(batch: BusBatch): void {
    const isDecision = batch.topic === this.deps.topics.decision;
    for (const record of batch.records) {
      if (isDecision) this.readDecision(record);
      else this.readVerdict(record);
    }
  }

  private readDecision(record: BusRecord): void {
    const decoded = decisionCodec.decode(cloudEventData(record.value, record.headers ?? {}));
    if (!decoded.ok) return; // nobody's to repair: the state has the newest ones too
    const decision = decoded.value;
    const known = this.decisions.get(decision.model) ?? [];
    if ((known.at(-1)?.sequence ?? 0) >= decision.sequence) return;
    known.push(decision);
    this.decisions.set(decision.model, known.slice(-DECISIONS_KEPT));
    this.events.add(decisionEvent(decision));
  }

  private readVerdict(record: BusRecord): void {
    const read = readVerdictRecord(record);
    if (read.kind !== 'verdict') return; // the owner of the partition deals with what is no verdict
    this.verdicts.set(read.verdict.model, read.verdict);
    this.events.add(verdictEvent(read.verdict));
  }
}
