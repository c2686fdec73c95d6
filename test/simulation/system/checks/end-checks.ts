import {
  type DeadLetter,
  deadLetterCodec,
  modelHash,
  partitionOf,
  type PredictionIdSealer,
  type RolloutState,
  rolloutStateCodec,
  type TopicRole,
  verdictCodec,
} from '@app/shared';
import type { EngineFactory } from '../../../../apps/evaluator/src/domain/cut/engine-factory.js';
import { knownPlanOf, PlanHistory } from '../../../../apps/evaluator/src/domain/cut/plan-history.js';
import type { SlotCounts } from '../../../../apps/evaluator/src/domain/cut/slot-view.js';
import { StateDirectory } from '../../../../apps/evaluator/src/domain/cut/state-directory.js';
import { type SlotId, slotName } from '../../../../apps/evaluator/src/slot-store/slot-store.js';
import type { LedgerEntry } from '../world/ledger.js';
import type { World } from '../world/world.js';
import { foldInOnePass, type OnePassSlot, summaryText } from './one-pass.js';
import { type LabelRules, type Recount, recountLabels, recountOutcomes } from './recount.js';
import { replayVerdicts } from './replayed-verdicts.js';
import type { Report } from './violation.js';

export interface EndCheckParts {
  readonly world: World;
  readonly sealer: PredictionIdSealer;
  readonly controlPartitions: number;
  readonly slotCounts: SlotCounts;
  readonly report: Report;
  readonly engines: (version: string) => EngineFactory;
  /** By owner: number of the first cut after a loss of evidence that was told; absent: there was none. */
  readonly anewFrom: ReadonlyMap<number, number>;
  /** Retention took what had not been read: counts are what is left, and only holds may follow. */
  readonly recordsLost: boolean;
  readonly missed: readonly MissedRecords[];
}

/** Retention took them, and the controller that would have read them said so. */
export interface MissedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** The first that is there. */
  readonly to: number;
}

export interface EndFigures {
  readonly summaries: number;
  readonly verdicts: number;
}

/** Counts everything once more from the topics, when nothing moves any more. */
export async function checkTheEnd(parts: EndCheckParts): Promise<EndFigures> {
  const states = statesOf(parts.world);
  const rules = labelRules(states);
  const directory = new StateDirectory();
  const plans = new PlanHistory(Number.MAX_SAFE_INTEGER);
  for (const state of states) {
    directory.add(state);
    plans.add(knownPlanOf(state));
  }
  const slots: OnePassSlot[] = [];
  const recounts: Recount[] = [];
  for (const slot of parts.world.slots) {
    const entries = parts.world.ledger.of(slot.kind, slot.partition);
    const whole = await parts.world.redis.store.loadWhole(slot);
    const position = whole?.image.position ?? 0;
    const read = entries.filter(({ offset }) => offset < position);
    const recount =
      slot.kind === 'outcome' ? recountOutcomes(slot.partition, read) : recountLabels(read, rules, parts.sealer);
    const onePass = foldInOnePass({ ...parts, slot, entries, position, directory });
    slots.push(onePass);
    recounts.push(recount);
    if (!parts.recordsLost) {
      compareSummaries(slot, recount, onePass, parts.report);
      if (whole) compareStored(slot, whole, onePass, parts);
    }
  }
  checkDeadLetters(parts, recounts);
  let verdicts = 0;
  for (let owner = 0; owner < parts.controlPartitions; owner++) {
    const entries = parts.world.ledger.of('verdict', owner);
    const upTo = parts.anewFrom.get(owner) ?? Infinity;
    for (const version of enginesOf(entries)) {
      const engines = parts.engines(version);
      const replayed = replayVerdicts({ engines, owner, entries, slots, slotCounts: parts.slotCounts, plans, upTo });
      verdicts += replayed.verdicts;
      if (replayed.difference && !parts.recordsLost) parts.report('8', replayed.difference);
    }
  }
  return { summaries: recounts.reduce((sum, { summaries }) => sum + summaries.length, 0), verdicts };
}

function compareSummaries(slot: SlotId, { summaries }: Recount, onePass: OnePassSlot, report: Report): void {
  const made = onePass.summaries.map(({ offset, summary }) => `${offset} ${summaryText(summary)}`);
  const counted = summaries.map(({ offset, text }) => `${offset} ${text}`);
  const at = made.findIndex((line, i) => line !== counted[i]);
  if (at === -1 && made.length === counted.length) return;
  const i = at === -1 ? made.length : at;
  report(
    '4',
    `${slotName(slot)}: the slot makes "${made[i] ?? 'nothing more'}", the records say "${counted[i] ?? 'nothing more'}"`,
  );
}

/** What Redis holds is what the records up to its position amount to, less what was trimmed. */
function compareStored(
  slot: SlotId,
  whole: NonNullable<Awaited<ReturnType<World['redis']['store']['loadWhole']>>>,
  onePass: OnePassSlot,
  { controlPartitions, report }: EndCheckParts,
): void {
  const name = slotName(slot);
  const { fields } = whole.image;
  for (const [field, value] of onePass.fields)
    if (!fields.get(field)?.equals(value))
      return report('4', `${name}: field ${field} in Redis is not what its records make of it`);
  if (fields.size !== onePass.fields.size)
    return report('4', `${name}: Redis has ${fields.size} fields, its records make ${onePass.fields.size}`);
  for (const [owner, { trimmedTo, summaries }] of whole.owners) {
    const stored = summaries.map(({ offset, index, summary }) => `${offset}-${index} ${summaryText(summary)}`);
    const made = onePass.summaries
      .filter(({ offset, summary }) => offset >= trimmedTo && partitionOf(summary.model, controlPartitions) === owner)
      .map(({ offset, index, summary }) => `${offset}-${index} ${summaryText(summary)}`);
    const kept = stored.filter((line) => Number(line.split('-')[0]) >= trimmedTo);
    const at = made.findIndex((line, i) => line !== kept[i]);
    if (at !== -1 || made.length !== kept.length) {
      const i = at === -1 ? made.length : at;
      return report(
        '4',
        `${name}, owner ${owner}: Redis has "${kept[i] ?? 'nothing more'}", the records make "${made[i] ?? 'nothing more'}"`,
      );
    }
  }
}

/** Roles whose poison has to come to the dead letters. */
const REFUSED: readonly TopicRole[] = ['verdict', 'command', 'state'];
/** Told beside the counting, when a state could not be read in time; no record is lost by it. */
const NOT_YET_KNOWN: ReadonlySet<string> = new Set(['unknown-model', 'unknown-version']);

/** A record of poison that is still to come to the dead letters; empty: none is. */
export function untoldPoison(world: World, missed: readonly MissedRecords[]): string {
  const told = new Set(deadLettersOf(world).map((letter) => letter && placeOf(letter)));
  for (const at of missedPlaces(missed)) told.add(at);
  const untold = poisonPlaces(world).find((at) => !told.has(at));
  return untold === undefined ? '' : `${untold} cannot be used, and there is no dead letter of it`;
}

function checkDeadLetters({ world, report, recordsLost, missed }: EndCheckParts, recounts: readonly Recount[]): void {
  const expected = new Set(poisonPlaces(world));
  world.slots.forEach(({ kind, partition }, i) => {
    for (const offset of recounts[i]!.refused) expected.add(placeOf({ topic: world.topics[kind], partition, offset }));
  });
  const found = new Set<string>(missedPlaces(missed));
  for (const letter of deadLettersOf(world)) {
    if (!letter) return report('9', 'a dead letter cannot be read');
    const { cause } = letter;
    const at = placeOf(letter);
    found.add(at);
    if (!expected.has(at) && !NOT_YET_KNOWN.has(cause.code))
      report('9', `${at} is a dead letter (${cause.code}: ${cause.text}), and nothing is wrong with it`);
  }
  const missing = [...expected].find((at) => !found.has(at));
  if (missing !== undefined && !recordsLost)
    report('9', `${missing} cannot be used, and there is no dead letter of it`);
}

/** Where poison stands that has to come to the dead letters, whoever reads the slots. */
function poisonPlaces({ ledger, poison, topics }: World): string[] {
  return REFUSED.flatMap((role) =>
    ledger
      .all(role)
      .flatMap((entries) =>
        entries
          .filter(({ value }) => poison.isPoison(value))
          .map(({ partition, offset }) => placeOf({ topic: topics[role], partition, offset })),
      ),
  );
}

/** Null in place of one that cannot be read. */
function deadLettersOf({ ledger }: World): readonly (DeadLetter | null)[] {
  return ledger.of('deadLetter', 0).map(({ value }) => {
    const letter = deadLetterCodec.decode(value);
    return letter.ok ? letter.value : null;
  });
}

function missedPlaces(missed: readonly MissedRecords[]): string[] {
  return missed.flatMap(({ topic, partition, from, to }) =>
    Array.from({ length: to - from }, (_, i) => placeOf({ topic, partition, offset: from + i })),
  );
}

function placeOf({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string {
  return `${topic}/${partition}/${offset}`;
}

/** Versions of the engine that verdicts were given by. */
function enginesOf(entries: readonly LedgerEntry[]): ReadonlySet<string> {
  const versions = new Set<string>();
  for (const { value } of entries) {
    const verdict = verdictCodec.decode(value);
    if (verdict.ok) versions.add(verdict.value.engineVersion);
  }
  return versions;
}

function statesOf(world: World): readonly RolloutState[] {
  return world.ledger.all('state').flatMap((entries) =>
    entries.flatMap(({ value }) => {
      const state = rolloutStateCodec.decode(value);
      return state.ok ? [state.value] : [];
    }),
  );
}

function labelRules(states: readonly RolloutState[]): LabelRules {
  const models = new Map<number, string>();
  const versions = new Map<string, string>();
  const labelsWithinMs = new Map<string, number>();
  for (const { model, versionIndexes, rollout } of states) {
    const hash = modelHash(model);
    models.set(hash, model);
    for (const [version, index] of Object.entries(versionIndexes)) versions.set(`${hash}/${index}`, version);
    const accuracy = rollout?.spec.checks.accuracy;
    if (accuracy)
      for (const { generation } of rollout.phases) labelsWithinMs.set(`${hash}/${generation}`, accuracy.labelsWithinMs);
  }
  return { models, versions, labelsWithinMs };
}
