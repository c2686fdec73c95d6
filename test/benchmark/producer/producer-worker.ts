/** One sender: makes outcomes at a rate and sends them in one of several ways. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusProducer, KafkaBus, type OutRecord, silentLogger, systemClock } from '@app/shared';
import kafkajs from 'kafkajs';
import { outcomePrefix, outcomeText } from '../../../apps/router/src/domain/outcome-text.js';
import { OutcomePublisher } from '../../../apps/router/src/publishing/outcome-publisher.js';

export type SenderKind = 'floor' | 'kafkajs' | 'bus' | 'publisher' | 'journal-always';

export interface ProducerSetup {
  readonly kind: SenderKind;
  readonly brokers: string;
  readonly topic: string;
  readonly partitions: number;
}

export interface PacedRun {
  readonly perSecond: number;
  readonly ms: number;
}

/** How often records are made, in one go: as a router's event loop would bring them. */
const TICK_MS = 2;
/** All but the publisher, which has a schedule of its own, flush at this interval. */
const FLUSH_MS = 10;
const PREDICTION_ID = 'AEi5NKsSh3Xo66B4WByLa1l2FXS4Li5xI2XGWcpawayoQH0m8A2jLG7jormL';
const prefix = outcomePrefix({ model: 'digits', version: 'v1', generation: 2, router: 'router-1-5f0c2ab98d3e7741' });

/** Takes the text of an outcome; `flushes` counts what went out. */
interface Sender {
  flushes: number;
  add(partition: number, text: string): void;
  /** Resolves when all is acknowledged. */
  settled(): Promise<void>;
}

/** Collects for FLUSH_MS and sends; the next batch waits for the acknowledgement of the one before. */
class FlushingSender implements Sender {
  flushes = 0;
  private collected: OutRecord[] = [];
  private timer: NodeJS.Timeout | null = null;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly topic: string,
    private readonly send: (records: OutRecord[]) => Promise<void>,
  ) {}

  add(partition: number, text: string): void {
    this.collected.push({ topic: this.topic, partition, key: PREDICTION_ID, value: text });
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  settled(): Promise<void> {
    if (this.timer) this.flush();
    return this.last;
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const records = this.collected;
    this.collected = [];
    this.flushes++;
    this.last = this.last.then(() => this.send(records));
  }
}

class PublisherSender implements Sender {
  flushes = 0;
  private readonly publisher: OutcomePublisher;
  private readonly tally;

  constructor({ brokers, topic, partitions }: ProducerSetup, dataDir: string, journalAfterMs: number) {
    const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'publisher', logger: silentLogger });
    const counting = Object.assign(Object.create(bus) as KafkaBus, {
      producer: (...args: Parameters<KafkaBus['producer']>) => this.counted(bus.producer(...args)),
    });
    this.publisher = new OutcomePublisher({
      ...{ bus: counting, topic, partitions, dataDir, journalAfterMs },
      producers: 3,
      flushMs: 10,
      flushMsMax: 100,
      router: 'bench',
      spoolBytesMax: 1e9,
      spoolFsync: 'second',
      replayPerSecond: 20_000,
      clock: systemClock,
      logger: silentLogger,
    });
    this.tally = this.publisher.tally('digits', 'v1');
  }

  add(partition: number, text: string): void {
    const { publisher, tally } = this;
    publisher.publish({ partition, key: PREDICTION_ID, text, tally, bucket: 1, arm: 0 });
  }

  async settled(): Promise<void> {
    while (!this.publisher.isIdle) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private counted(producer: BusProducer): BusProducer {
    const offer: BusProducer['offer'] = (records) => {
      this.flushes++;
      return producer.offer(records);
    };
    return Object.assign(Object.create(producer) as BusProducer, { offer });
  }
}

async function makeSender(setup: ProducerSetup, dataDir: string): Promise<Sender> {
  const { kind, brokers, topic } = setup;
  switch (kind) {
    case 'floor':
      return new FlushingSender(topic, async () => undefined);
    case 'kafkajs': {
      const client = new kafkajs.Kafka({
        brokers: brokers.split(','),
        clientId: 'kafkajs',
        logLevel: kafkajs.logLevel.NOTHING,
      });
      const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
      const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner });
      await producer.connect();
      return new FlushingSender(topic, async (records) => {
        const messages = records.map(({ partition, key, value }) => ({ partition: partition!, key, value }));
        await producer.send({ topic, acks: -1, messages });
      });
    }
    case 'bus': {
      const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'bus', logger: silentLogger });
      const producer = bus.producer();
      return new FlushingSender(topic, (records) => producer.send(records));
    }
    case 'publisher':
      return new PublisherSender(setup, dataDir, 100);
    case 'journal-always':
      return new PublisherSender(setup, dataDir, 0);
  }
}

let counter = 0;
function makeOutcome(partition: number): string {
  counter++;
  return outcomeText(prefix, partition, counter, {
    predictionId: PREDICTION_ID,
    bucket: counter >> 6,
    unit: counter & 63,
    routedAtMs: 1_795_356_131_000 + counter,
    latencyMs: 20 + (counter % 1000) / 7,
    status: 'ok',
    httpStatus: 200,
    prediction: counter % 10,
  });
}

/** Makes outcomes in buckets of 50, which decide on the partition, at a rate. */
async function run(sender: Sender, partitions: number, { perSecond, ms }: PacedRun): Promise<number> {
  const beganAtMs = performance.now();
  let sent = 0;
  while (performance.now() - beganAtMs < ms) {
    const due = Math.floor(((performance.now() - beganAtMs) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const partition = Math.floor(sent / 50) % partitions;
      sender.add(partition, makeOutcome(partition));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await sender.settled();
  return sent;
}

const setup = JSON.parse(process.argv[2]!) as ProducerSetup;
const dataDir = mkdtempSync(join(tmpdir(), 'model-canary-producer-'));
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
process.once('disconnect', () => process.exit(0));
const sender = await makeSender(setup, dataDir);
process.on('message', (paced: PacedRun) => {
  const before = sender.flushes;
  void run(sender, setup.partitions, paced).then((sent) => process.send!({ sent, flushes: sender.flushes - before }));
});
process.send!('ready');
