import { type BusBatch, type BusRecord, type Clock, type Logger, partitionOf, type TopicNames } from '@app/shared';
import type { ControllerMetrics } from '../metrics.js';
import type { EvaluatorWatch } from './evaluator-watch.js';
import type { PartitionStates } from './partition-states.js';
import { readCommandRecord, readVerdictRecord } from './read-record.js';
import { type DeadLetterCause, deadLetterRecord, type RefusedRecord } from './records.js';
import type { Turn } from './turn.js';

export interface RecordHandlerDeps {
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly partition: number;
  readonly controlPartitions: number;
  readonly states: PartitionStates;
}

/** Turns records of one partition into moves of its models, and what cannot be used into dead letters. */
export class RecordHandler {
  constructor(private readonly deps: RecordHandlerDeps) {}

  handle(turn: Turn, batch: BusBatch, watch: EvaluatorWatch): void {
    const isCommand = batch.topic === this.deps.topics.command;
    for (const record of batch.records) {
      const cause = this.attempt(record, () =>
        isCommand ? this.onCommand(turn, record) : this.onVerdict(turn, record, watch),
      );
      if (cause) this.deadLetter(turn, { topic: batch.topic, partition: batch.partition, record, cause });
    }
  }

  /** A record that the rules choke on must not stop the ones behind it. */
  private attempt(record: BusRecord, handle: () => DeadLetterCause | null): DeadLetterCause | null {
    try {
      return handle();
    } catch (error) {
      this.deps.logger.error({ err: error, offset: record.offset }, 'a record broke the state machine');
      return { code: 'internal-error', text: (error as Error).message };
    }
  }

  private onVerdict(turn: Turn, record: BusRecord, watch: EvaluatorWatch): DeadLetterCause | null {
    const read = readVerdictRecord(record);
    if (read.kind === 'unusable') return read.cause;
    if (read.kind === 'cut') return null; // the evaluator's own
    const { verdict } = read;
    const state = turn.stateOf(verdict.model);
    if (!state) return this.notHere(verdict.model);
    watch.hear(state, verdict);
    const { ignored } = turn.move(verdict.model, { kind: 'verdict', verdict });
    this.deps.metrics.verdicts.inc({ effect: ignored ?? 'heard' });
    return null;
  }

  private onCommand(turn: Turn, record: BusRecord): DeadLetterCause | null {
    const read = readCommandRecord(record);
    if (read.kind === 'unusable') return read.cause;
    const { command } = read;
    const { model, action } = command;
    if (!turn.stateOf(model) && !(action === 'apply' && this.belongsHere(model))) return this.notHere(model);
    const { commandResult, ignored } = turn.move(model, { kind: 'command', command });
    const result = ignored === undefined && commandResult ? commandResult.result : 'repeated';
    this.deps.metrics.commands.inc({ action, result });
    return null;
  }

  private belongsHere(model: string): boolean {
    return (
      partitionOf(model, this.deps.controlPartitions) === this.deps.partition && !this.deps.states.unreadable.has(model)
    );
  }

  private notHere(model: string): DeadLetterCause {
    if (this.deps.states.unreadable.has(model)) {
      return { code: 'state-unreadable', text: `the state of ${model} cannot be read` };
    }
    const home = partitionOf(model, this.deps.controlPartitions);
    return home === this.deps.partition
      ? { code: 'unknown-model', text: `there is no model ${model}; apply a rollout file first` }
      : { code: 'wrong-partition', text: `records of ${model} belong to partition ${home}: use the model as the key` };
  }

  deadLetter(turn: Turn, refused: RefusedRecord): void {
    const { topics, clock, logger, metrics } = this.deps;
    turn.deadLetters.push(deadLetterRecord(topics, refused, clock.nowMs()));
    const { topic, partition, record, cause } = refused;
    metrics.deadLetters.inc({ cause: cause.code });
    logger.warn({ topic, partition, offset: record.offset, cause }, 'a record went to the dead letters');
  }
}
