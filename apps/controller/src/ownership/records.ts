import { randomUUID } from 'node:crypto';
import {
  type BusRecord,
  cloudEventHeaders,
  type Command,
  commandCodec,
  type Decision,
  deadLetterCodec,
  decisionCodec,
  type OutRecord,
  type RolloutState,
  rolloutStateCodec,
  type TopicNames,
} from '@app/shared';

/** What the controller writes, as records. */
const SOURCE = '/model-canary/controller';
const DEAD_LETTER_VALUE_BYTES_MAX = 64 * 1024;

export function decisionRecord(topics: TopicNames, decision: Decision): OutRecord {
  return {
    topic: topics.decision,
    key: decision.model,
    value: decisionCodec.encode(decision),
    headers: cloudEventHeaders({
      id: decision.decisionId,
      source: SOURCE,
      type: 'io.modelcanary.rollout.decision',
      subject: decision.model,
      timeMs: decision.at,
    }),
  };
}

export function stateRecord(topics: TopicNames, state: RolloutState): OutRecord {
  return {
    topic: topics.state,
    key: state.model,
    value: rolloutStateCodec.encode(state),
    headers: cloudEventHeaders({
      id: randomUUID(),
      source: SOURCE,
      type: 'io.modelcanary.rollout.state',
      subject: state.model,
      timeMs: state.updatedAt,
    }),
  };
}

export function commandRecord(topics: TopicNames, command: Command): OutRecord {
  return {
    topic: topics.command,
    key: command.model,
    value: commandCodec.encode(command),
    headers: cloudEventHeaders({
      id: command.commandId,
      source: SOURCE,
      type: 'io.modelcanary.rollout.command',
      subject: command.model,
      timeMs: command.at,
    }),
  };
}

/** A record that cannot be used, where it stands, and why. */
export interface RefusedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly record: BusRecord;
  readonly cause: DeadLetterCause;
}

export interface DeadLetterCause {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly text: string;
}

/** A record that could not be used, with where it came from and why. */
export function deadLetterRecord(
  topics: TopicNames,
  { topic, partition, record, cause }: RefusedRecord,
  nowMs: number,
): OutRecord {
  const { offset, key, value } = record;
  return {
    topic: topics.deadLetter,
    key: key ?? `${topic}/${partition}`,
    value: deadLetterCodec.encode({
      schemaVersion: 1,
      topic,
      partition,
      offset,
      cause,
      by: 'controller',
      at: nowMs,
      value: value === null ? null : value.subarray(0, DEAD_LETTER_VALUE_BYTES_MAX).toString('base64'),
      valueBytes: value?.length ?? 0,
    }),
  };
}
