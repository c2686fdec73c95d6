import {
  cloudEventData,
  type Decision,
  decisionCodec,
  modelHash,
  type RolloutSpec,
  type RolloutStep,
  type Weights,
} from '@app/shared';
import type { Differences } from './differences.js';
import type { LogRecord, LogSource } from './log-source.js';

/** One stretch of a rollout with one routing. */
export interface PhaseTold {
  readonly sequence: number;
  readonly generation: number;
  readonly step: number;
  readonly weights: Weights;
  /** The canary gets more than before. */
  readonly rises: boolean;
}

export interface RolloutTold {
  readonly id: string;
  readonly model: string;
  readonly spec: RolloutSpec;
  readonly stable: string;
  readonly canary: string;
  readonly phases: PhaseTold[];
  endedBy: Decision | null;
}

/** What the decisions tell of one model, and nothing else. */
export class ModelTold {
  readonly decisions: Decision[] = [];
  readonly rollouts: RolloutTold[] = [];
  /** Versions that ever had an index. */
  readonly versions = new Map<number, string>();

  constructor(readonly model: string) {}

  add(decision: Decision): void {
    this.decisions.push(decision);
    const versions = (decision.versions ?? {}) as Record<string, { index: number }>;
    for (const [version, { index }] of Object.entries(versions)) this.versions.set(index, version);
    const { rollout: id, action } = decision;
    if (id === undefined || action === 'registered') return;
    if (action === 'started') this.begin(id, decision);
    const rollout = this.rollouts.find((one) => one.id === id);
    if (!rollout) return;
    if (action === 'started' || action === 'weight-changed') addPhase(rollout, decision);
    if (action === 'promoted' || action === 'rolled-back' || action === 'aborted') rollout.endedBy = decision;
  }

  /** The version that is stable after the decision with this number. */
  stableAt(sequence: number): string | null {
    let stable: string | null = null;
    for (const decision of this.decisions) {
      if (decision.sequence > sequence) break;
      if (decision.action === 'registered') stable = (decision.spec as RolloutSpec).stable.version;
      if (decision.action === 'promoted' || decision.action === 'undone') {
        const rollout = this.rollouts.find(({ id }) => id === decision.rollout);
        stable = (decision.action === 'promoted' ? rollout?.canary : rollout?.stable) ?? stable;
      }
    }
    return stable;
  }

  /** The rollout that is open after the decision with this number. */
  openAt(sequence: number): RolloutTold | null {
    const begun = this.rollouts.filter(({ phases }) => phases[0] && phases[0].sequence <= sequence);
    const newest = begun.at(-1);
    return newest && (newest.endedBy === null || newest.endedBy.sequence > sequence) ? newest : null;
  }

  /** What users are dealt out by at a generation. */
  saltAt(generation: number): string {
    const started = this.decisions.findLast(
      (decision) => decision.generation <= generation && decision.action === 'started',
    );
    return started?.rollout ?? `${this.model}-0`;
  }

  /** The routing of a generation; undefined: it was never decided. */
  weightsAt(generation: number): Weights | undefined {
    return this.decisions.find((decision) => decision.generation === generation)?.to;
  }

  /** The rollout, if any, that a generation belongs to. */
  rolloutOf(generation: number): RolloutTold | null {
    return this.rollouts.find(({ phases }) => phases.some((phase) => phase.generation === generation)) ?? null;
  }

  private begin(id: string, decision: Decision): void {
    const spec = decision.spec as RolloutSpec;
    this.rollouts.push({
      id,
      model: this.model,
      spec,
      stable: spec.stable.version,
      canary: spec.canary!.version,
      phases: [],
      endedBy: null,
    });
  }
}

function addPhase(
  { phases, spec, canary }: RolloutTold,
  { sequence, generation, step = 0, to, action }: Decision,
): void {
  const first: RolloutStep | undefined = spec.steps[0];
  if (action === 'started' && first?.kind === 'pause') return;
  const before = phases.at(-1)?.weights[canary] ?? 0;
  phases.push({ sequence, generation, step, weights: to, rises: (to[canary] ?? 0) > before });
}

/** All models by name. */
export class History {
  readonly models = new Map<string, ModelTold>();
  private readonly byHash = new Map<number, ModelTold>();

  find(model: string): ModelTold | undefined {
    return this.models.get(model);
  }

  findByHash(hash: number): ModelTold | undefined {
    return this.byHash.get(hash);
  }

  add(decision: Decision): void {
    let told = this.models.get(decision.model);
    if (!told) {
      told = new ModelTold(decision.model);
      this.models.set(decision.model, told);
      this.byHash.set(modelHash(decision.model), told);
    }
    told.add(decision);
  }
}

/** Reads rollout-decision. Records that are none are left out unless they are said to be one. */
export async function readHistory(
  source: LogSource,
  isPoison: (record: LogRecord) => boolean,
  differences: Differences,
): Promise<History> {
  const history = new History();
  await source.read('decision', (record) => {
    if (isPoison(record)) return;
    const decoded = decisionCodec.decode(cloudEventData(record.value, record.headers));
    if (decoded.ok) history.add(decoded.value);
    else differences.add('decision-unreadable', placeOf(record), decoded.problems.map((p) => p.message).join('; '));
  });
  return history;
}

export const placeOf = ({ partition, offset }: LogRecord): string => `${partition}/${offset}`;
