import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { BatchResult, BusBatch } from '@app/shared';
import { SlotOwner } from './slot-owner.js';

/** Batches of prediction-label, as the batch strategy brings them. */
@Controller()
export class LabelConsumer {
  constructor(@Inject(SlotOwner) private readonly slots: SlotOwner) {}

  @EventPattern('label', { batch: true })
  handle(@Payload() batch: BusBatch): Promise<BatchResult> {
    return this.slots.handle(batch);
  }
}
