import type { CheckResult, Cut, RolloutSpec, Verdict } from '@app/shared';
import type { ModelTold, PhaseTold, RolloutTold } from './history.js';
import type { LabelShareFinding } from './label-recount.js';
import type { ArmCount, BucketFinding, BucketLook } from './outcome-recount.js';

/** Below so many of control's predictions nothing is known of its rate, and nothing is compared with it. */
const BASELINE_LEAST = 500;

interface Figures {
  n: number;
  bad: number;
}

/** One generation as far as it counts. */
interface GenerationCount {
  readonly phase: PhaseTold;
  readonly bake: boolean;
  warm: boolean;
  warmCanary: number;
  warmUntilMs: number;
  firstRoutedMs: number;
}

interface OpenStratum {
  readonly generation: number;
  readonly stratum: number;
  readonly fromMs: number;
  readonly closesAtMs: number;
  readonly stable: Figures;
  readonly canary: Figures;
}

/** Counts of one rollout, as a verdict shows them. */
class RolloutCount {
  readonly generations = new Map<number, GenerationCount>();
  readonly errors = { stable: figures(), canary: figures() };
  readonly accuracy = { stable: figures(), canary: figures() };
  readonly ceiling = figures();
  /** Of the newest phase: what counts in the present step. */
  step = -1;
  /** Where the rollout stands; another one than `step` while a pause step lasts. */
  planStep = 0;
  readonly counted = { stable: 0, canary: 0 };
  private readonly ceilingByBucket = new Map<string, Figures>();
  private strata: OpenStratum[] = [];
  private labelsPassedMs = -1;

  constructor(readonly told: RolloutTold) {}

  get spec(): RolloutSpec {
    return this.told.spec;
  }

  /** The phases that have begun by a decision. */
  enter(sequence: number): void {
    const { phases, canary } = this.told;
    const begun = phases.filter((phase) => phase.sequence <= sequence);
    for (const phase of begun) {
      if (this.generations.has(phase.generation)) continue;
      const bake = (phase.weights[canary] ?? 0) === 1;
      const warm = phase.rises;
      this.generations.set(phase.generation, { phase, bake, warm, warmCanary: 0, warmUntilMs: 0, firstRoutedMs: -1 });
    }
    const step = begun.at(-1)?.step ?? -1;
    if (step === this.step) return;
    this.step = step;
    Object.assign(this.counted, { stable: 0, canary: 0 });
  }

  fold(look: BucketLook, errorsBaseline: boolean): void {
    const generation = this.generations.get(look.generation);
    if (!generation) return;
    const canary = look.versions.get(this.told.canary);
    const stable = look.versions.get(this.told.stable);
    this.foldCeiling(look, canary, stable);
    const counts = this.countsNow(generation, look, canary?.routed ?? 0);
    if (!look.final) return;
    if (generation.phase.step === this.step && (counts || generation.bake)) {
      this.counted.canary += canary?.routed ?? 0;
      if (!generation.bake) this.counted.stable += stable?.routed ?? 0;
    }
    if (generation.bake || !counts || !canary?.routed || !stable?.routed || !errorsBaseline) return;
    addTo(this.errors.canary, canary.routed, canary.bad);
    addTo(this.errors.stable, stable.routed, stable.bad);
  }

  leaveOut({ router, bucket }: BucketFinding): void {
    this.replaceCeiling(`${router} ${bucket}`, figures(), true);
  }

  addShare({ generation, stratum, strataMs, stable, canary }: LabelShareFinding): void {
    const within = this.spec.checks.accuracy?.labelsWithinMs;
    if (within === undefined) return;
    const closesAtMs = (stratum + 1) * strataMs + within;
    if (closesAtMs <= this.labelsPassedMs) return;
    let open = this.strata.find((one) => one.generation === generation && one.stratum === stratum);
    if (!open) {
      const fromMs = stratum * strataMs;
      open = { generation, stratum, fromMs, closesAtMs, stable: figures(), canary: figures() };
      this.strata.push(open);
    }
    addTo(open.stable, stable.n, stable.wrong);
    addTo(open.canary, canary.n, canary.wrong);
  }

  /** Folds the strata that all label partitions have passed. Returns control's labels in them. */
  closeStrata(passedMs: number, baseline: boolean): number {
    this.labelsPassedMs = Math.max(this.labelsPassedMs, passedMs);
    const due = this.strata.filter(({ closesAtMs }) => closesAtMs <= this.labelsPassedMs);
    this.strata = this.strata.filter((stratum) => !due.includes(stratum));
    for (const { generation: number, fromMs, stable, canary } of due) {
      const generation = this.generations.get(number);
      const isPlaced = generation && !generation.warm && fromMs >= generation.warmUntilMs;
      if (!isPlaced || !baseline || stable.n === 0 || canary.n === 0) continue;
      addTo(this.accuracy.stable, stable.n, stable.bad);
      addTo(this.accuracy.canary, canary.n, canary.bad);
    }
    return due.reduce((sum, { stable }) => sum + stable.n, 0);
  }

  /** The warm-up lasts until the canary has had its predictions and its time is over, in routing time. */
  private countsNow(generation: GenerationCount, look: BucketLook, canaryRouted: number): boolean {
    const { warmup } = this.spec;
    if (generation.firstRoutedMs < 0) generation.firstRoutedMs = look.routedFrom;
    if (generation.warm) {
      const isOver =
        generation.warmCanary >= warmup.predictions && look.routedFrom >= generation.firstRoutedMs + warmup.durationMs;
      generation.warm = !isOver;
      if (!isOver) {
        generation.warmUntilMs = Math.max(generation.warmUntilMs, look.routedFrom + 1);
        if (look.previousAgeMs === 0) generation.warmCanary += canaryRouted;
      }
    }
    return !generation.warm && look.routedFrom >= generation.warmUntilMs;
  }

  /** Looks at every record of a bucket; the newest replaces those before it. */
  private foldCeiling(look: BucketLook, canary: ArmCount | undefined, stable: ArmCount | undefined): void {
    const max = this.spec.checks.errorRate?.max;
    if (max === undefined || max >= 1) return;
    const n = canary?.routed ?? 0;
    const bad = canary?.badButClient ?? 0;
    const shared = stable !== undefined && stable.routed > 0 && stable.badButClient / stable.routed > max;
    const now = n > 0 && bad <= n && !shared ? { n, bad } : figures();
    this.replaceCeiling(`${look.router} ${look.bucket}`, now, look.final);
  }

  private replaceCeiling(key: string, now: Figures, isLast: boolean): void {
    const before = this.ceilingByBucket.get(key) ?? figures();
    addTo(this.ceiling, now.n - before.n, now.bad - before.bad);
    if (isLast) this.ceilingByBucket.delete(key);
    else this.ceilingByBucket.set(key, now);
  }
}

/** What one verdict should show, and what it shows. */
export interface FigureDifference {
  readonly figure: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Counts one model again along the cuts of its owner. */
export class ModelRecount {
  private open: RolloutCount | null = null;
  private stable: string | null = null;
  private stableSince = 0;
  private baselineN = 0;
  private labelBaselineN = 0;
  private hadBaseline = false;
  private hadLabelBaseline = false;
  private known = false;

  constructor(private readonly told: ModelTold) {}

  /** The cut tells that its owner has read this model's state up to a decision. */
  learn(sequence: number): void {
    const rollout = this.told.openAt(sequence);
    const stable = rollout?.stable ?? this.told.stableAt(sequence);
    if (!this.known || stable !== this.stable) {
      this.stable = stable;
      this.stableSince = this.told.decisions.find((decision) => decision.sequence === sequence)?.generation ?? 0;
      this.baselineN = 0;
      this.labelBaselineN = 0;
    }
    this.known = true;
    if (!rollout) this.open = null;
    else if (this.open?.told.id !== rollout.id) this.open = new RolloutCount(rollout);
    this.open?.enter(sequence);
    if (!rollout || !this.open) return;
    const { decisions } = this.told;
    const newest = decisions.findLast((one) => one.rollout === rollout.id && one.sequence <= sequence);
    this.open.planStep = newest?.step ?? 0;
  }

  /** What is known of control's rates before a cut is folded is what its buckets are held against. */
  beginCut(): void {
    this.hadBaseline = this.baselineN >= BASELINE_LEAST;
    this.hadLabelBaseline = this.labelBaselineN >= BASELINE_LEAST;
  }

  fold(finding: BucketFinding): void {
    if (!this.known) return;
    if (finding.kind === 'left-out') return this.open?.leaveOut(finding);
    const strict = this.open?.spec.checks.errorRate?.strict === true;
    this.open?.fold(finding, this.hadBaseline || strict);
    const stable = this.stable === null ? undefined : finding.versions.get(this.stable);
    if (finding.final) this.baselineN += stable?.routed ?? 0;
  }

  foldShare(share: LabelShareFinding): void {
    if (!this.known) return;
    if (this.open?.generations.has(share.generation)) this.open.addShare(share);
    else if (share.generation >= this.stableSince) this.labelBaselineN += share.stable.n;
  }

  endCut(cut: Cut): void {
    if (!this.open || cut.logTimes.label.length === 0) return;
    const strict = this.open.spec.checks.accuracy?.strict === true;
    const passedMs = Math.min(...cut.logTimes.label);
    this.labelBaselineN += this.open.closeStrata(passedMs, this.hadLabelBaseline || strict);
  }

  /** Where a verdict shows other figures than were counted here. */
  compare(verdict: Verdict): readonly FigureDifference[] {
    const { open } = this;
    if (!open) return [{ figure: 'rollout', expected: null, found: verdict.rollout }];
    const differences: FigureDifference[] = [];
    const same = (figure: string, expected: unknown, found: unknown): void => {
      if (JSON.stringify(expected) !== JSON.stringify(found)) differences.push({ figure, expected, found });
    };
    same('rollout', open.told.id, verdict.rollout);
    same('step', open.planStep, verdict.step);
    same('counted', open.counted, { stable: verdict.counted.stable, canary: verdict.counted.canary });
    const check = (name: string): CheckResult | undefined =>
      verdict.checks.find((one) => one.check === name && !one.segment);
    const { errorRate, accuracy } = open.spec.checks;
    if (errorRate) same('errorRate', open.errors, armsOf(check('errorRate')));
    if (errorRate && errorRate.max < 1) same('errorCeiling', open.ceiling, figuresOf(check('errorCeiling')?.canary));
    if (accuracy) same('accuracy', open.accuracy, armsOf(check('accuracy')));
    return differences;
  }
}

const figures = (): Figures => ({ n: 0, bad: 0 });

function addTo(sum: Figures, n: number, bad: number): void {
  sum.n += n;
  sum.bad += bad;
}

const figuresOf = (arm: { n: number; bad: number } | null | undefined): Figures | null =>
  arm ? { n: arm.n, bad: arm.bad } : null;

const armsOf = (check: CheckResult | undefined): unknown =>
  check && { stable: figuresOf(check.stable), canary: figuresOf(check.canary) };
