/**
 * What kafkajs alone takes: `count` looks at no record, `fold` parses each and counts by model and version, with a
 * histogram, in memory and without any guarantee. Says how many records it has seen.
 *
 *   node kafkajs-peer.js (count | fold) brokers topic group
 */
import kafkajs, { type KafkaMessage } from 'kafkajs';

interface Figures {
  n: number;
  errors: number;
  readonly latency: Map<number, number>;
}

const [mode, brokers, topic, groupId] = process.argv.slice(2) as [string, string, string, string];
const SAY_EVERY_MS = 10;
const PARTITIONS_AT_ONCE = 64;
const BYTES_PER_PARTITION = 1024 * 1024;
const BYTES = 8 * 1024 * 1024;
const LN_GAMMA = Math.log(1.01 / 0.99);

const figures = new Map<string, Figures>();
let seen = 0;

function fold(messages: readonly KafkaMessage[]): void {
  for (const { value } of messages) {
    const outcome = JSON.parse(value!.toString()) as Record<string, unknown>;
    if (outcome.kind !== 'outcome') continue;
    const name = `${outcome.model as string}|${outcome.version as string}`;
    let sums = figures.get(name);
    if (!sums) figures.set(name, (sums = { n: 0, errors: 0, latency: new Map() }));
    sums.n++;
    if (outcome.status !== 'ok') sums.errors++;
    const bin = Math.ceil(Math.log(outcome.latencyMs as number) / LN_GAMMA);
    sums.latency.set(bin, (sums.latency.get(bin) ?? 0) + 1);
  }
}

const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), clientId: 'peer', logLevel: kafkajs.logLevel.ERROR });
// The settings of the evaluator's own consumer.
const consumer = kafka.consumer({ groupId, maxBytesPerPartition: BYTES_PER_PARTITION, maxBytes: BYTES, minBytes: 1 });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
  eachBatchAutoResolve: true,
  eachBatch: ({ batch: { messages } }) => {
    if (mode === 'fold') fold(messages);
    seen += messages.length;
    return Promise.resolve();
  },
});
setInterval(() => process.stdout.write(`${seen}\n`), SAY_EVERY_MS);
process.once('SIGTERM', () => void consumer.disconnect().finally(() => process.exit()));
