import { cloudEventData, type Cut, cutCodec, verdictCodec } from '@app/shared';
import { compareVerdicts, type PublishedVerdict } from '../domain/cut/compare-verdicts.js';
import { OwnedModels } from '../domain/cut/owned-models.js';
import { type CutFront, emptyFront, frontOf } from '../domain/cut/slot-view.js';
import type { PlacedSummary } from '../domain/summary.js';
import { hasOpenRollout } from '../domain/cut/hold.js';
import { abortable } from './abortable.js';
import { type OwnerDeps, slotsInOrder } from './owner-deps.js';
import { type PlanAt, toldPlans } from './told-plans.js';
import { SlotFeed } from './slot-feed.js';
import type { Standing } from './takeover.js';

/** So many records of outcomes and labels take some minutes; where there are more, the evidence is given up. */
const RECORDS_MAX = 20_000_000;
/** What a rollout is compared with lies so far back: ten minutes of control, and the buckets that were open then. */
const BEFORE_ROLLOUT_MS = 600_000 + 200_000;

/** Where to begin: after this cut, with this front folded; before the first cut there is number 0 and nothing. */
interface Start {
  readonly number: number;
  readonly front: CutFront;
  /** Offset of the next cut in the verdict partition. */
  readonly offset: number;
  /** What was known of each model then. */
  readonly known: Readonly<Record<string, number>>;
}

/** Ends a rebuilding: the log does not hold what it takes. Not an error. */
export interface NotRebuilt {
  readonly why: string;
}

/**
 * Makes the evidence of an owner anew from the topics: the records of outcomes and labels from before its open rollouts
 * on, along the cuts that were published, up to the newest one. For when there is no checkpoint that this engine can read,
 * or Redis has lost what lies behind it. Reads as fast as it folds and holds one batch of each partition.
 *
 * Verdicts of the same engine must equal the published ones; a model where they do not is held.
 */
export async function rebuild(deps: OwnerDeps, owner: number, signal: AbortSignal): Promise<Standing | NotRebuilt> {
  await using opened = new AsyncDisposableStack();
  const scan = await scanCuts(deps, owner, signal);
  if ('why' in scan) return scan;
  const { start, last } = scan;
  const target = frontOf(last, deps.slotCounts);
  const missing = await whatIsMissing(deps, start.front, target);
  if (missing) return { why: missing };
  const feeds = slotsInOrder(deps.slotCounts).map((slot, i) => {
    const from = { position: start.front.positions[i]!, logTimeMs: start.front.logTimesMs[i]! };
    const { bus, topics, sealer, controlPartitions, plans, logger } = deps;
    const onError = (error: unknown): void => logger.warn({ err: error, owner }, 'reading records again: goes on');
    const of = { bus, topic: topics[slot.kind], slot, from, owner, controlPartitions, sealer, signal, onError };
    const feed = new SlotFeed({ ...of, directory: plans.directory });
    opened.defer(() => feed.close());
    return feed;
  });
  const refold = new Refold(deps, owner, start, await toldPlans(deps, owner, signal));
  await readVerdicts(deps, owner, { from: start.offset, signal }, async (data) => {
    const cut = cutCodec.decode(data);
    if (cut.ok) return refold.cut(cut.value, () => summariesBelow(feeds, frontOf(cut.value, deps.slotCounts)));
    const verdict = verdictCodec.decode(data);
    if (verdict.ok) refold.published.push({ verdict: verdict.value, bytes: data });
  });
  return refold.finish();
}

/** Folds along the cuts and compares what comes out. */
class Refold {
  /** Verdicts that stand behind the newest cut. */
  published: PublishedVerdict[] = [];
  private readonly models: OwnedModels;
  private number: number;
  private front: CutFront;
  private folded: { readonly cut: Cut; readonly verdicts: ReturnType<OwnedModels['foldCut']>['verdicts'] } | null =
    null;
  private readonly diverged = new Set<string>();
  /** Their published verdicts rest, or rested, on a part of the evidence: nothing to compare with. */
  private readonly incomplete = new Set<string>();

  constructor(
    private readonly deps: OwnerDeps,
    private readonly owner: number,
    private readonly start: Start,
    private readonly planAt: PlanAt,
  ) {
    this.models = new OwnedModels(deps.engines);
    this.number = start.number;
    this.front = start.front;
  }

  async cut(cut: Cut, summaries: () => Promise<readonly PlacedSummary[]>): Promise<void> {
    if (cut.owner !== this.owner || cut.number <= this.number) return;
    this.compare();
    const known = this.folded ? cut.known : { ...this.start.known, ...cut.known };
    const { verdicts } = this.models.foldCut({ ...cut, known }, await summaries(), this.planAt);
    this.folded = { cut, verdicts };
    this.number = cut.number;
    this.front = frontOf(cut, this.deps.slotCounts);
  }

  finish(): Standing {
    this.compare();
    for (const model of this.diverged) {
      if (!this.models.hold(model, 'evaluator-diverged')) continue;
      this.deps.metrics.diverged(model);
      this.deps.logger.error({ owner: this.owner, model }, 'made anew from the log its verdicts are others: held');
    }
    return { number: this.number, front: this.front, models: this.models };
  }

  /** Only from the very beginning the control's history is the same, and with it every number. */
  private compare(): void {
    const published = this.published;
    this.published = [];
    if (!this.folded || this.start.number > 0) return;
    const { cut, verdicts } = this.folded;
    for (const { verdict } of published) {
      if (verdict.reason.code === 'evaluator-diverged') this.diverged.add(verdict.model);
      if (isHeld(verdict.reason.code)) this.incomplete.add(verdict.model);
    }
    const isComplete = (model: string): boolean => !this.incomplete.has(model);
    const differences = compareVerdicts(
      cut.number,
      verdicts.filter(({ model }) => isComplete(model)),
      published.filter(({ verdict }) => isComplete(verdict.model)),
      this.deps.engines.version,
    );
    for (const { model } of differences) this.diverged.add(model);
  }
}

/** Said in place of what the engine said. */
const isHeld = (code: string): boolean => code.startsWith('evaluator-');

async function summariesBelow(feeds: readonly SlotFeed[], front: CutFront): Promise<readonly PlacedSummary[]> {
  const parts = await Promise.all(feeds.map((feed, i) => feed.below(front.positions[i]!)));
  return parts.flat();
}

/** Finds where to begin, and the newest cut; or why the cuts are of no use. */
async function scanCuts(
  deps: OwnerDeps,
  owner: number,
  signal: AbortSignal,
): Promise<{ readonly start: Start; readonly last: Cut } | NotRebuilt> {
  const { neededFromMs, known } = whatIsOpen(deps, owner);
  let start: Start | null = null;
  let last: Cut | null = null;
  let gap: string | null = null;
  // What the cuts tell is more certain than what lies so far back that nobody tells it any more.
  let told: Readonly<Record<string, number>> = known;
  await readVerdicts(deps, owner, { signal }, async (data, offset) => {
    const read = cutCodec.decode(data);
    if (!read.ok || read.value.owner !== owner) return;
    const cut = read.value;
    if (!last && cut.number === 1) start = { number: 0, front: emptyFront(deps.slotCounts), offset, known: {} };
    if (last && cut.number !== last.number + 1) gap = `cut ${cut.number} follows cut ${last.number}`;
    told = { ...told, ...cut.known };
    // Before the first record a cut says no time.
    if (cut.number > 1 && cut.asOf >= 0 && cut.asOf <= neededFromMs)
      start = { number: cut.number, front: frontOf(cut, deps.slotCounts), offset: offset + 1, known: told };
    last = cut;
  });
  if (gap) return { why: gap };
  if (!last) return { why: 'there are no cuts' };
  if (!start) return { why: 'the cuts from before its rollouts are gone' };
  return { start, last };
}

/** From when on records are needed, by log time, and what was known of an owner's models before. */
function whatIsOpen(
  { plans, clock }: OwnerDeps,
  owner: number,
): { neededFromMs: number; known: Record<string, number> } {
  // A rollout that begins next needs something to compare with too.
  let neededFromMs = clock.nowMs() - BEFORE_ROLLOUT_MS;
  const known: Record<string, number> = {};
  for (const model of plans.modelsOf(owner)) {
    const newest = plans.newest(model);
    if (!newest) continue;
    const [first] = hasOpenRollout(newest.plan) ? newest.plan.rollout.phases : [];
    known[model] = first ? first.sequence - 1 : newest.sequence;
    if (first) neededFromMs = Math.min(neededFromMs, first.startedAt - BEFORE_ROLLOUT_MS);
  }
  return { neededFromMs, known };
}

/** Why the records between two fronts cannot be read again; null if they can. */
async function whatIsMissing(
  { bus, topics, slotCounts }: OwnerDeps,
  from: CutFront,
  to: CutFront,
): Promise<string | null> {
  const ranges = new Map<string, { readonly low: number; readonly end: number }>();
  for (const kind of ['outcome', 'label'] as const)
    for (const { partition, low, end } of await bus.offsets(topics[kind]))
      ranges.set(`${kind} ${partition}`, { low, end });
  let records = 0;
  for (const [i, { kind, partition }] of slotsInOrder(slotCounts).entries()) {
    const range = ranges.get(`${kind} ${partition}`);
    const [begin, end] = [from.positions[i]!, to.positions[i]!];
    if (end > begin && (!range || range.low > begin || range.end < end))
      return `records ${begin} to ${end} of ${topics[kind]}/${partition} are needed, ${range?.low ?? 0} to ${range?.end ?? 0} are there`;
    records += end - begin;
  }
  return records > RECORDS_MAX ? `${records} records would have to be read again, at most ${RECORDS_MAX} are` : null;
}

/** Reads an owner's partition of verdicts to its present end, one record after the other. */
async function readVerdicts(
  { bus, topics, logger }: OwnerDeps,
  owner: number,
  { from, signal }: { readonly from?: number; readonly signal: AbortSignal },
  onData: (data: Buffer, offset: number) => Promise<void> | void,
): Promise<void> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // the race below has it, unless it is over
  const follower = bus.follower({
    topics: [topics.verdict],
    partitions: [owner],
    readCommitted: true,
    start: () => from,
    onBatch: async ({ records }) => {
      try {
        for (const { value, headers, offset } of records) {
          const data = cloudEventData(value, headers ?? {});
          if (data) await onData(data, offset);
        }
      } catch (error) {
        failed.reject(error);
      }
    },
    onError: (error) => logger.warn({ err: error, owner }, 'reading verdicts again: goes on'),
  });
  try {
    await abortable(Promise.race([follower.caughtUp(), failed.promise]), signal);
  } finally {
    await follower.close();
  }
}
