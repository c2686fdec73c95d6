import { Counter, Gauge, type Registry } from 'prom-client';
import type { OutcomePublisher } from './outcome-publisher.js';

export const ROUTER_METRICS_PREFIX = 'model_canary_router_';

export interface PublishingParts {
  readonly publisher: OutcomePublisher;
  readonly spoolBytesMax: number;
}

/** Shows what becomes of outcome records on their way to Kafka, whenever someone looks. */
export function measurePublishing(registry: Registry, { publisher, spoolBytesMax }: PublishingParts): void {
  const registers = [registry];
  new Counter({
    name: `${ROUTER_METRICS_PREFIX}outcomes_total`,
    help: 'Outcome records made (sent), acknowledged by Kafka, and dropped',
    labelNames: ['model', 'version', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { model, version, sent, acknowledged, dropped } of publisher.tallies) {
        this.inc({ model, version, state: 'sent' }, sent);
        this.inc({ model, version, state: 'acknowledged' }, acknowledged);
        this.inc({ model, version, state: 'dropped' }, dropped);
      }
    },
  });
  new Gauge({
    name: `${ROUTER_METRICS_PREFIX}outcomes_held`,
    help: 'Outcome records on disk and not acknowledged, or on the way; sent = acknowledged + dropped + both of these',
    labelNames: ['model', 'version', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { model, version, spooled, onTheWay } of publisher.tallies) {
        this.set({ model, version, state: 'spooled' }, spooled);
        this.set({ model, version, state: 'on-the-way' }, onTheWay);
      }
    },
  });
  new Gauge({
    name: `${ROUTER_METRICS_PREFIX}outcome_buffer_records`,
    help: 'Outcome records in memory, collected or sent and not acknowledged; it grows while Kafka is slow',
    registers,
    collect() {
      this.set(publisher.tallies.reduce((sum, { onTheWay }) => sum + onTheWay, 0));
    },
  });
  new Counter({
    name: `${ROUTER_METRICS_PREFIX}restored_outcomes_total`,
    help: 'Outcome records of earlier processes found in the spool, acknowledged by Kafka, and dropped',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      const { found, acknowledged, dropped } = publisher.restored;
      this.inc({ state: 'found' }, found);
      this.inc({ state: 'acknowledged' }, acknowledged);
      this.inc({ state: 'dropped' }, dropped);
    },
  });
  measureSpool(registry, { publisher, spoolBytesMax });
}

function measureSpool(registry: Registry, { publisher, spoolBytesMax }: PublishingParts): void {
  const registers = [registry];
  new Gauge({
    name: `${ROUTER_METRICS_PREFIX}spool_bytes`,
    help: 'Size of the spool on disk',
    registers,
    collect() {
      this.set(publisher.spooled.bytes);
    },
  });
  new Gauge({
    name: `${ROUTER_METRICS_PREFIX}spool_writable`,
    help: '1 while the disk takes what is spooled, 0 while it does not and outcomes are dropped',
    aggregator: 'min',
    registers,
    collect() {
      this.set(publisher.spooled.isWritable ? 1 : 0);
    },
  });
  new Counter({
    name: `${ROUTER_METRICS_PREFIX}spool_damaged_bytes_total`,
    help: 'Bytes of the spool that could not be understood when they were read',
    registers,
    collect() {
      this.reset();
      this.inc(publisher.spooled.damaged.bytes);
    },
  });
  new Counter({
    name: `${ROUTER_METRICS_PREFIX}spool_damaged_records_total`,
    help: 'Records known to be missing for that; those of this process are counted as dropped, too',
    registers,
    collect() {
      this.reset();
      this.inc(publisher.spooled.damaged.records);
    },
  });
  new Gauge({
    name: `${ROUTER_METRICS_PREFIX}spool_limit_bytes`,
    help: 'Size beyond which the oldest records of the spool are dropped',
    registers,
    collect() {
      this.set(spoolBytesMax);
    },
  });
}
