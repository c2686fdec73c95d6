import {
  type ReplayMilestone,
  type ReplayRuling,
  type ReplaySummary,
  type ReplayVerdict,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { compareVerdicts, type PublishedVerdict } from '../cut/compare-verdicts.js';
import { ENGINE_VERSION } from '../engine.js';

/** The verdicts of one cut, of one model. */
export interface CutVerdicts {
  readonly cut: number;
  readonly asOfMs: number;
  readonly given: PublishedVerdict | null;
  readonly replayed: Verdict | null;
}

const MILESTONES = ['pass', 'fail', 'inconclusive'] as const;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Compares verdict with verdict and adds up what came of it. */
export class VerdictComparison {
  private readonly rollouts = new Set<string>();
  private readonly givenVersions = new Set<string>();
  private readonly milestones = new Map<string, Mutable<ReplayMilestone>>();
  private verdicts = 0;
  private identical = 0;
  private sameRuling = 0;
  private firstDifference: ReplaySummary['firstDifference'] = null;

  constructor(
    private readonly model: string,
    private readonly options: { readonly otherFile: boolean },
  ) {}

  /** Null when the cut has no verdict of either kind. */
  add({ cut, asOfMs, given, replayed }: CutVerdicts): ReplayVerdict | null {
    const of = given?.verdict ?? replayed;
    if (!of) return null;
    this.verdicts += 1;
    this.rollouts.add(of.rollout);
    if (given) this.givenVersions.add(given.verdict.engineVersion);
    const equal = this.equality(given, replayed);
    if (equal === 'bytes') this.identical += 1;
    if (equal === 'ruling') this.sameRuling += 1;
    const differs = this.options.otherFile ? equal === 'no' : equal !== 'bytes';
    if (differs) this.firstDifference ??= { cut, asOf: asOfMs, ...differenceOf(cut, equal, { given, replayed }) };
    if (given) this.note(given.verdict, asOfMs, 'givenAt');
    if (replayed) this.note(replayed, asOfMs, 'replayedAt');
    const { rollout, step } = of;
    return {
      kind: 'verdict',
      cut,
      asOf: asOfMs,
      rollout,
      step,
      given: given && rulingOf(given.verdict),
      replayed: replayed && rulingOf(replayed),
      equal,
    };
  }

  summary(cuts: number): ReplaySummary {
    const { model, verdicts, identical, sameRuling, firstDifference } = this;
    return {
      kind: 'summary',
      model,
      rollouts: [...this.rollouts],
      cuts,
      verdicts,
      identical,
      sameRuling,
      otherFile: this.options.otherFile,
      engineVersion: ENGINE_VERSION,
      givenEngineVersions: [...this.givenVersions],
      milestones: [...this.milestones.values()],
      firstDifference,
    };
  }

  private equality(given: PublishedVerdict | null, replayed: Verdict | null): ReplayVerdict['equal'] {
    if (!given || !replayed) return 'no';
    if (given.bytes.equals(verdictCodec.encode(replayed))) return 'bytes';
    return rulingKey(given.verdict) === rulingKey(replayed) ? 'ruling' : 'no';
  }

  /** Notes the first time that a step has a result that something is done about. */
  private note(verdict: Verdict, asOfMs: number, whose: 'givenAt' | 'replayedAt'): void {
    const result = MILESTONES.find((of) => of === verdict.result);
    if (!result) return;
    const { rollout, step, reason } = verdict;
    const key = `${rollout} ${step} ${result}`;
    const found = this.milestones.get(key) ?? {
      rollout,
      step,
      result,
      givenAt: null,
      replayedAt: null,
      code: reason.code,
    };
    found[whose] ??= asOfMs;
    this.milestones.set(key, found);
  }
}

/** Of another ruling its words; of the same one in another record, where the bytes part. */
function differenceOf(
  cut: number,
  equal: ReplayVerdict['equal'],
  { given, replayed }: Pick<CutVerdicts, 'given' | 'replayed'>,
): { readonly given: string | null; readonly replayed: string | null } {
  if (equal === 'ruling' && given && replayed) {
    // Compared as if by one engine version: where the records part is what is wanted.
    const [divergence] = compareVerdicts(cut, [replayed], [given], given.verdict.engineVersion);
    if (divergence?.difference)
      return { given: divergence.difference.published, replayed: divergence.difference.refolded };
  }
  const words = (verdict: Verdict | undefined | null): string | null =>
    verdict ? `${verdict.result} (${verdict.reason.code}): ${verdict.reason.text}` : null;
  return { given: words(given?.verdict), replayed: words(replayed) };
}

const rulingOf = ({ result, reason }: Verdict): ReplayRuling => ({ result, code: reason.code, text: reason.text });

const rulingKey = ({ rollout, step, generation, result, reason }: Verdict): string =>
  JSON.stringify([rollout, step, generation, result, reason.code]);
