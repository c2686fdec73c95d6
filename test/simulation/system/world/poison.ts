import { type BusProducer, type OutRecord, outcomeCodec, labelCodec } from '@app/shared';
import type { Fault } from './faults.js';
import type { World } from './world.js';

/** Records nobody should have written. Each has to come to the dead letters. */
export class Poison {
  readonly sent: Buffer[] = [];

  constructor(
    private readonly producer: BusProducer,
    private readonly tell: (text: string) => void,
  ) {}

  send(record: OutRecord & { readonly value: Buffer }): void {
    this.tell(`poison for ${record.topic}: ${record.value.toString('utf8').slice(0, 80)}`);
    this.sent.push(record.value);
    void this.producer.send([record]);
  }

  isPoison(value: Buffer | null): boolean {
    return value !== null && this.sent.some((poison) => poison.equals(value));
  }
}

export function poisonRecord(
  world: World,
  { topic, what }: Fault & { kind: 'poison' },
): OutRecord & { readonly value: Buffer } {
  const name = world.topics[topic];
  const logs = world.logsOf(topic);
  const partition = what % logs.length;
  const unique = `poison-${world.poison.sent.length}`;
  const kinds: readonly (() => Buffer)[] = [
    () => Buffer.from(`{ this is not JSON ${unique}`),
    () => Buffer.from(JSON.stringify({ kind: 'outcome', unique })),
    () => Buffer.from([0, 255, 254, ...Buffer.from(unique)]),
    () =>
      topic === 'label'
        ? forgedLabel(unique)
        : topic === 'outcome'
          ? wrongLane(partition, unique)
          : Buffer.from(`[${JSON.stringify(unique)}]`),
  ];
  return { topic: name, partition, key: unique, value: kinds[what % kinds.length]!() };
}

const forgedLabel = (unique: string): Buffer =>
  labelCodec.encode({ predictionId: unique.padEnd(60, 'A'), label: 'right' });

/** Whoever copies records from one partition to another. */
const wrongLane = (partition: number, unique: string): Buffer =>
  outcomeCodec.encode({
    kind: 'outcome',
    schemaVersion: 1,
    predictionId: unique,
    model: 'model-0',
    version: 'v1',
    generation: 1,
    router: unique,
    lane: partition + 1,
    sequence: 0,
    bucket: 0,
    unit: 0,
    routedAt: 1,
    latencyMs: 1,
    status: 'ok',
    httpStatus: 200,
  });
