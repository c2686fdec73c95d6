import { type DynamicModule, Module } from '@nestjs/common';
import { type Health, HealthModule } from '@app/shared';
import type { EvaluatorMetrics } from './metrics.js';
import { LabelConsumer } from './slot-owner/label.consumer.js';
import { OutcomeConsumer } from './slot-owner/outcome.consumer.js';
import { SlotOwner } from './slot-owner/slot-owner.js';

/** The running parts that batches and HTTP go to. */
export interface EvaluatorParts {
  readonly health: Health;
  readonly metrics: EvaluatorMetrics;
  readonly slots: SlotOwner;
}

@Module({})
export class EvaluatorModule {
  static register({ health, metrics, slots }: EvaluatorParts): DynamicModule {
    return {
      module: EvaluatorModule,
      imports: [HealthModule.register({ health, registry: metrics.registry })],
      controllers: [OutcomeConsumer, LabelConsumer],
      providers: [{ provide: SlotOwner, useValue: slots }],
    };
  }
}
