import { CanaryError } from '../../errors.js';
import type { Carrier } from '../lane-producer.js';
import type { OutRecord } from '../message-bus.js';
import type { MemoryBroker } from './memory-broker.js';
import { Ended, type MemoryLink, untilAnswered } from './memory-link.js';

/** Appends to the logs, the same records again until the broker has answered, as a lane to Kafka does. */
export class MemoryCarrier implements Carrier {
  private readonly stopped = new Ended();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly link: MemoryLink,
    private readonly closed: () => void,
  ) {}

  check(record: OutRecord): void {
    this.broker.logOf(record);
  }

  async carry(records: readonly OutRecord[]): Promise<readonly OutRecord[]> {
    const what = `produce ${records[0]?.topic}`;
    const append = (): void => records.forEach((record) => this.broker.logOf(record).append(record));
    await untilAnswered(this.link, () => this.link.call(what, append), this.stopped);
    if (this.stopped.now) throw new CanaryError('producer-closed', 'the producer was closed');
    return [];
  }

  async stop(): Promise<void> {
    this.stopped.set();
    this.closed();
  }
}
