import { type BusProducer, labelCodec, type TopicNames } from '@app/shared';
import type { Host } from '../machine/host.js';
import type { Random } from '../machine/random.js';
import type { ModelPlan } from '../plan/plan.js';
import type { Machine } from './machine.js';
import type { ClientAnswer, RouterProcess } from './router-process.js';
import { hasAccuracy, RIGHT } from './stories.js';

export interface TrafficParts {
  readonly host: Host;
  readonly random: Random;
  readonly routers: readonly Machine<RouterProcess>[];
  readonly models: readonly ModelPlan[];
  readonly labels: BusProducer;
  readonly topics: TopicNames;
}

const LABEL_MS = { least: 300, mean: 900 };
/** Predictions that come at once, in the mean. */
const BURST = 12;
/** Of the answers: where somebody counts labels, and where nobody does. */
const LEARNED = { counted: 0.85, else: 0.1 };

/** Users who ask for predictions, and somebody who learns the truth later. */
export class Traffic {
  /** Predictions asked for, and refused because no router was there or it did not know the model. */
  asked = 0;
  refused = 0;
  private ended = false;

  constructor(private readonly parts: TrafficParts) {}

  begin(): void {
    for (const plan of this.parts.models) this.next(plan);
  }

  /** No more predictions. */
  end(): void {
    this.ended = true;
  }

  private next(plan: ModelPlan): void {
    const { host, random } = this.parts;
    host.after(random.exponential((1000 * BURST) / plan.rate), 'users', () => {
      if (this.ended) return;
      this.ask(plan);
      this.next(plan);
    });
  }

  private ask({ model, users, story }: ModelPlan): void {
    const share = hasAccuracy(story) ? LEARNED.counted : LEARNED.else;
    const { random, routers } = this.parts;
    const router = random.pick(routers);
    const burst = Array.from({ length: 1 + random.below(2 * BURST - 1) }, () => `user-${random.below(users)}`);
    this.asked += burst.length;
    const { host, service } = router;
    if (!host || !service) {
      this.refused += burst.length;
      return;
    }
    host.after(0.2, 'predictions', () => {
      this.refused += burst.length - service.predict(model, burst, (answers) => this.answered(answers, share));
    });
  }

  private answered(answers: readonly ClientAnswer[], share: number): void {
    const { random } = this.parts;
    const learned = answers.filter(() => random.chance(share));
    if (learned.length === 0) return;
    const afterMs = LABEL_MS.least + random.exponential(LABEL_MS.mean);
    this.label(learned, afterMs);
    if (random.chance(0.2)) this.label(learned.slice(0, 1), 2 * afterMs);
  }

  private label(answers: readonly ClientAnswer[], afterMs: number): void {
    const { host, labels, topics } = this.parts;
    host.after(afterMs, 'label', () => {
      const records = answers.map(({ predictionId }) => ({
        topic: topics.label,
        key: predictionId,
        value: labelCodec.encode({ predictionId, label: RIGHT, occurredAt: host.clock.nowMs() }),
      }));
      void labels.send(records);
    });
  }
}
