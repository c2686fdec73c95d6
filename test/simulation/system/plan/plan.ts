import type { Fault } from '../world/faults.js';
import type { Story } from '../world/stories.js';

/** How large a world is. */
export interface Shape {
  /** Of outcomes and of labels. */
  readonly dataPartitions: number;
  readonly controlPartitions: number;
  readonly routers: number;
  readonly evaluators: number;
  readonly controllers: number;
}

export interface ModelPlan {
  readonly model: string;
  readonly story: Story;
  /** Predictions per second, over all routers. */
  readonly rate: number;
  readonly users: number;
  /** When its rollout is applied. */
  readonly applyMs: number;
}

/** Who judges: the real engine, or one that needs less traffic for it. */
export type Judge = 'verdict-engine' | 'counting';

/** Everything a run depends on, beside the code. */
export interface Plan {
  readonly seed: number;
  readonly shape: Shape;
  readonly judge: Judge;
  readonly models: readonly ModelPlan[];
  /** In the order of their times. */
  readonly faults: readonly Fault[];
}
