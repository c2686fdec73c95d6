import { CanaryError } from '../../errors.js';
import type { Carrier } from '../lane-producer.js';
import type { OutRecord } from '../message-bus.js';
import { type MemoryBroker, nextTurn } from './memory-broker.js';

/** Appends to the logs; while the broker is unavailable it waits, as a lane to Kafka does. */
export class MemoryCarrier implements Carrier {
  private stopped = false;
  private readonly waiting = new Set<() => void>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly closed: () => void,
  ) {
    this.unsubscribe = broker.onAvailability(() => this.wake());
  }

  check(record: OutRecord): void {
    this.broker.logOf(record);
  }

  async carry(records: readonly OutRecord[]): Promise<readonly OutRecord[]> {
    await nextTurn();
    while (!this.broker.available && !this.stopped) await new Promise<void>((resolve) => this.waiting.add(resolve));
    if (this.stopped) throw new CanaryError('producer-closed', 'the producer was closed');
    for (const record of records) this.broker.logOf(record).append(record);
    return [];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    this.wake();
    this.closed();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
