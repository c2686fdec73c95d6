import { CanaryError, type Cut } from '@app/shared';
import { decodeCheckpoint, type FoundCheckpoint } from '../domain/cut/checkpoint.js';
import { compareVerdicts, type Divergence } from '../domain/cut/compare-verdicts.js';
import { summariesBetween } from '../domain/cut/next-front.js';
import { OwnedModels } from '../domain/cut/owned-models.js';
import { type CutFront, emptyFront, frontOf, type SlotView } from '../domain/cut/slot-view.js';
import { abortable } from './abortable.js';
import type { OwnerDeps } from './owner-deps.js';
import { OwnerLog, type PublishedCut, type PublishedCuts } from './owner-log.js';
import { rebuild } from './rebuild.js';
import { plansOfCuts } from './told-plans.js';
import { reaches, SlotReader } from './slot-reader.js';

/** Where an owner stands: after the cut of this number, with this front folded. */
export interface Standing {
  readonly number: number;
  readonly front: CutFront;
  readonly models: OwnedModels;
}

/**
 * Brings a new owner to where the former one stood: the newest checkpoint, then the cuts after it, folded along exactly.
 * The verdicts that this gives must equal the published ones; a model where they do not is held. Call it after fencing.
 *
 * Where that is impossible the evidence is made anew from the records of the topics: a checkpoint of another engine version
 * (its numbers mean something else, and what lies before it has been trimmed), cuts or summaries that are gone for good.
 * Where the records are gone too, or too many, the owner begins at the newest cut without the evidence of before, and
 * open rollouts are held until their next phase.
 *
 * @param trimmedForGood go on without summaries that are missing. At first that only means that a newer checkpoint
 *   is about to be seen, so the caller tries again for a while before it sets this.
 * Throws CanaryError `trimmed-beyond-cut`, and the signal's reason.
 */
export async function takeOver(
  deps: OwnerDeps,
  owner: number,
  options: { readonly trimmedForGood: boolean; readonly signal: AbortSignal },
): Promise<Standing> {
  const startedMs = deps.clock.monotonicMs();
  const { signal } = options;
  await abortable(deps.plans.caughtUp(), signal);
  const log = new OwnerLog(deps.bus, deps.topics, deps.logger);
  const found = decodeCheckpoint(owner, await log.readCheckpoint(owner, signal), deps.engines);
  const published = await log.readCuts(owner, numberOf(found), verdictsFromOf(found), signal);
  const tookOver = (standing: Standing, how: 'folded' | 'rebuilt' | 'anew'): Standing => {
    const durationMs = deps.clock.monotonicMs() - startedMs;
    const { number: cut } = standing;
    deps.metrics.tookOver({ owner, durationMs, cuts: published.cuts.length, how });
    deps.logger.info({ owner, cut, cutsFolded: published.cuts.length, how, durationMs }, 'took over');
    return standing;
  };

  let lost = found?.kind === 'unusable' ? found.why : published.broken;
  if (lost === null) {
    try {
      return tookOver(await foldAlong(deps, owner, baseOf(deps, found), published.cuts, signal), 'folded');
    } catch (error) {
      const trimmed = error instanceof CanaryError && error.code === 'trimmed-beyond-cut';
      if (!trimmed || !options.trimmedForGood) throw error;
      lost = error.message;
    }
  }
  deps.logger.warn({ owner, why: lost }, 'the evidence is made anew from the records');
  const rebuilt = await rebuild(deps, owner, signal);
  if (!('why' in rebuilt)) return tookOver(rebuilt, 'rebuilt');
  const why = `${lost}; ${rebuilt.why}`;
  return tookOver(await beginAnew(deps, owner, { found, published, why, signal }), 'anew');
}

async function foldAlong(
  deps: OwnerDeps,
  owner: number,
  base: Standing,
  cuts: readonly PublishedCut[],
  signal: AbortSignal,
): Promise<Standing> {
  const reader = new SlotReader(deps, owner);
  const planAt = await plansOfCuts(
    deps,
    owner,
    cuts.map(({ cut }) => cut),
    signal,
  );
  const { models } = base;
  let { number, front } = base;
  // Also without a cut to fold along: summaries that are missing here would be missing in the first cut.
  let views: readonly (SlotView | null)[] = await reader.readUpTo(front, front, signal);
  const divergences = new Map<string, Divergence>();
  for (const { cut, verdicts } of cuts) {
    const target = frontOf(cut, deps.slotCounts);
    if (!reaches(views, front, target)) views = await reader.readUpTo(front, target, signal);
    const folded = models.foldCut(cut, summariesBetween(front, target, views), planAt);
    for (const divergence of compareVerdicts(cut.number, folded.verdicts, verdicts, deps.engines.version))
      if (!divergences.has(divergence.model)) divergences.set(divergence.model, divergence);
    front = target;
    number = cut.number;
  }
  for (const divergence of divergences.values()) {
    if (!models.hold(divergence.model, 'evaluator-diverged')) continue;
    deps.metrics.diverged(divergence.model);
    deps.logger.error({ owner, ...divergence }, 'folding again gave another verdict than the published one: held');
  }
  return { number, front, models };
}

interface Lost {
  readonly found: FoundCheckpoint | null;
  readonly published: PublishedCuts;
  readonly why: string;
  readonly signal: AbortSignal;
}

/** At the newest cut and not below what is trimmed, with new engines; numbers go on. */
async function beginAnew(deps: OwnerDeps, owner: number, { found, published, why, signal }: Lost): Promise<Standing> {
  const base = baseOf(deps, found);
  const lastFront = published.last ? frontOf(published.last, deps.slotCounts) : base.front;
  const views = await readUntrimmed(deps, owner, signal);
  const front: CutFront = {
    positions: lastFront.positions.map((position, i) => Math.max(position, views[i]?.trimmedTo ?? 0)),
    logTimesMs: lastFront.logTimesMs,
  };
  const number = Math.max(numberOf(found), published.numberMax);
  deps.logger.warn(
    { owner, cut: number, why },
    'evidence is lost: begins anew, open rollouts are held to their next phase',
  );
  return { number, front, models: new OwnedModels(deps.engines, [], { evidenceLost: true }) };
}

/** The slots as they are, wherever they have been trimmed to. */
async function readUntrimmed(
  deps: OwnerDeps,
  owner: number,
  signal: AbortSignal,
): Promise<readonly (SlotView | null)[]> {
  const { outcome, label } = deps.slotCounts;
  const beyondAll: CutFront = {
    positions: new Array<number>(outcome + label).fill(Number.MAX_SAFE_INTEGER),
    logTimesMs: [],
  };
  return new SlotReader(deps, owner).readUpTo(beyondAll, beyondAll, signal);
}

function baseOf(deps: OwnerDeps, found: FoundCheckpoint | null): Standing {
  if (found?.kind !== 'usable')
    return { number: 0, front: emptyFront(deps.slotCounts), models: new OwnedModels(deps.engines) };
  return { number: found.head.number, front: frontOf(found.head, deps.slotCounts), models: found.models };
}

function numberOf(found: FoundCheckpoint | null): Cut['number'] {
  if (!found) return 0;
  return found.kind === 'usable' ? found.head.number : found.number;
}

function verdictsFromOf(found: FoundCheckpoint | null): number {
  if (!found) return 0;
  return found.kind === 'usable' ? found.head.verdictsFrom : found.verdictsFrom;
}
