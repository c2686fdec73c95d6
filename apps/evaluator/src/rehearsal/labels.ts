import { strataMsOf, stratumClosesAtMs } from '../domain/slot/generation-directory.js';
import type { LabelledArm, LabelShare } from '../domain/summary.js';
import type { Random } from './sampling.js';
import type { ArmModel, Timed, TrafficListener } from './traffic.js';

/** When and whether labels come. */
export interface LabelModel {
  /** Chance that a prediction is ever labelled. */
  readonly share: number;
  /** From the answer to its label, ms. */
  delayMs(random: Random, wrong: boolean): number;
}

interface Answer {
  readonly random: Random;
  readonly canary: boolean;
  readonly group: number;
  readonly atS: number;
  readonly routedMs: number;
  readonly openedMs: number;
  readonly doneMs: number;
}

/** A label as it is written. */
export interface GivenLabel {
  readonly atMs: number;
  readonly wrong: boolean;
  readonly generation: number;
  readonly canary: boolean;
  readonly group: number;
  readonly routedMs: number;
  /** When the prediction's bucket was opened. */
  readonly openedMs: number;
}

interface Stratum {
  readonly stratum: number;
  readonly generation: number;
  readonly arms: readonly [LabelCounts, LabelCounts];
}

interface LabelCounts {
  n: number;
  wrong: number;
  readonly groupN: number[];
  readonly groupWrong: number[];
}

/** Labels of one rollout as one label partition counts them: each stratum complete once its horizon has passed. */
export class Labels {
  private readonly strataMs: number;
  private readonly open = new Map<number, Stratum>();
  private generation = 0;

  constructor(
    private readonly withinMs: number | null,
    private readonly listener: Pick<TrafficListener, 'label'>,
  ) {
    this.strataMs = withinMs === null ? 0 : strataMsOf(withinMs);
  }

  /** Strata never mix generations. */
  follow(generation: number): void {
    this.generation = generation;
  }

  add(arm: ArmModel, { random, canary, group, atS, routedMs, openedMs, doneMs }: Answer): void {
    if (this.withinMs === null || this.generation < 2 || random() >= arm.labels.share) return;
    const wrong = random() < arm.wrongRate(atS);
    const stratum = Math.floor(openedMs / this.strataMs);
    const atMs = doneMs + arm.labels.delayMs(random, wrong);
    this.listener.label?.({ atMs, wrong, generation: this.generation, canary, group, routedMs, openedMs });
    if (atMs > stratumClosesAtMs(stratum, this.strataMs, this.withinMs)) return;
    const key = stratum * 1000 + this.generation;
    let found = this.open.get(key);
    if (!found) {
      found = { stratum, generation: this.generation, arms: [emptyCounts(), emptyCounts()] };
      this.open.set(key, found);
    }
    const counts = found.arms[canary ? 1 : 0];
    counts.n++;
    counts.groupN[group]!++;
    if (!wrong) return;
    counts.wrong++;
    counts.groupWrong[group]!++;
  }

  /** Shares of the strata that are complete by now, oldest first. */
  complete(nowMs: number): Timed<LabelShare>[] {
    const shares: Timed<LabelShare>[] = [];
    for (const [key, { stratum, generation, arms }] of this.open) {
      const atMs = stratumClosesAtMs(stratum, this.strataMs, this.withinMs!);
      if (atMs > nowMs) continue;
      this.open.delete(key);
      const [stable, canary]: readonly [LabelledArm, LabelledArm] = arms;
      const at = { model: 'm', generation, stratum, strataMs: this.strataMs };
      shares.push({ atMs, partition: 0, value: { kind: 'label-share', ...at, stable, canary } });
    }
    return shares.sort((a, b) => a.atMs - b.atMs);
  }
}

function emptyCounts(): LabelCounts {
  return { n: 0, wrong: 0, groupN: new Array<number>(64).fill(0), groupWrong: new Array<number>(64).fill(0) };
}
