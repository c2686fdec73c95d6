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
/** Decisions kept of a model. */
const DECISIONS_KEPT = 200;

/** The newest decisions and the last verdict of every model, for people to look at. */
export class RolloutJournal {
  readonly events = new EventLog();
  private readonly decisions = new Map<string, Decision[]>();
  private readonly verdicts = new Map<string, Verdict>();
  private readonly follower: BusFollower;

  /** Looks where the topics end, and begins somewhat before that. Rejects when the broker is away. */
  static async start(deps: RolloutJournalDeps): Promise<RolloutJournal> {
    const { bus, topics } = deps;
    const startOf = async (topic: string, back: number): Promise<Map<number, number>> => {
      const ranges = await bus.offsets(topic);
      return new Map(ranges.map(({ partition, low, end }) => [partition, Math.max(low, end - back)]));
    };
    const [decisions, verdicts] = await Promise.all([
      startOf(topics.decision, DECISIONS_READ_BACK),
      startOf(topics.verdict, VERDICTS_READ_BACK),
    ]);
    return new RolloutJournal(
      deps,
      new Map([
        [topics.decision, decisions],
        [topics.verdict, verdicts],
      ]),
    );
  }

  private constructor(
    private readonly deps: RolloutJournalDeps,
    starts: ReadonlyMap<string, ReadonlyMap<number, number>>,
  ) {
    const { bus, topics, logger } = deps;
    this.follower = bus.follower({
      topics: [topics.decision, topics.verdict],
      readCommitted: true,
      start: ({ topic, partition }) => starts.get(topic)?.get(partition),
      onBatch: (batch) => this.read(batch),
      onError: (error) => logger.warn({ err: error }, 'following decisions and verdicts failed, it goes on by itself'),
    });
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
    await this.follower.close();
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
