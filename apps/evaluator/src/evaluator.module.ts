import { type DynamicModule, Module } from '@nestjs/common';
import { type Health, HealthModule } from '@app/shared';
import type { EvaluatorMetrics } from './metrics.js';

/** The running parts that HTTP is a window to. */
export interface EvaluatorParts {
  readonly health: Health;
  readonly metrics: EvaluatorMetrics;
}

@Module({})
export class EvaluatorModule {
  static register({ health, metrics }: EvaluatorParts): DynamicModule {
    return {
      module: EvaluatorModule,
      imports: [HealthModule.register({ health, registry: metrics.registry })],
    };
  }
}
