import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { BatchResult, BusBatch } from '@app/shared';
import { SlotOwner } from './slot-owner.js';

/** Batches of prediction-outcome, as the batch strategy brings them. */
@Controller()
export class OutcomeConsumer {
  constructor(@Inject(SlotOwner) private readonly slots: SlotOwner) {}

  @EventPattern('outcome', { batch: true })
  handle(@Payload() batch: BusBatch): Promise<BatchResult> {
    return this.slots.handle(batch);
  }
}
