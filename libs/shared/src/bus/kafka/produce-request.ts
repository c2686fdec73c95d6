/** One batch of each of some partitions. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's; 0 is success. */
  readonly errorCode: number;
}

export interface ProduceAnswer {
  readonly partitions: readonly PartitionAnswer[];
  /** The broker wants to be left alone for this long. */
  readonly throttleMs: number;
}

export const PRODUCE_API_KEY = 0;
/** From 2.1 to at least 4.2 every broker has it, and nothing later is needed. */
export const PRODUCE_VERSION = 7;
const ACKS_ALL = -1;
const CORRELATION_ID_AT = 8;
/** Size, API key, version, correlation id. */
const HEAD_BYTES = 12;

/**
 * A Produce request, framed: size i32 | API key i16 | version i16 | correlation id i32 | client id | transactional id
 * (none) | acks i16 | timeout i32 | topics, each with its partitions and their batches.
 */
export function encodeProduceRequest(
  batches: readonly PartitionBatch[],
  options: { readonly clientId: string; readonly timeoutMs: number },
): Buffer {
  const topics = byTopic(batches);
  const { clientId, timeoutMs } = options;
  let length = HEAD_BYTES + stringBytes(clientId) + 2 + 2 + 4 + 4;
  for (const [topic, ofTopic] of topics) {
    length += stringBytes(topic) + 4;
    for (const { batch } of ofTopic) length += 8 + batch.length;
  }
  const request = Buffer.allocUnsafe(length);
  request.writeInt32BE(length - 4, 0);
  request.writeInt16BE(PRODUCE_API_KEY, 4);
  request.writeInt16BE(PRODUCE_VERSION, 6);
  let at = writeString(request, HEAD_BYTES, clientId);
  at = request.writeInt16BE(-1, at);
  at = request.writeInt16BE(ACKS_ALL, at);
  at = request.writeInt32BE(timeoutMs, at);
  at = request.writeInt32BE(topics.length, at);
  for (const [topic, ofTopic] of topics) {
    at = writeString(request, at, topic);
    at = request.writeInt32BE(ofTopic.length, at);
    for (const { partition, batch } of ofTopic) {
      at = request.writeInt32BE(partition, at);
      at = request.writeInt32BE(batch.length, at);
      at += batch.copy(request, at);
    }
  }
  return request;
}

/** Each request on a connection has its own. */
export function setCorrelationId(request: Buffer, correlationId: number): void {
  request.writeInt32BE(correlationId, CORRELATION_ID_AT);
}

/** Reads the answer, what stands behind its correlation id. Throws RangeError when it is cut short. */
export function decodeProduceAnswer(payload: Buffer): ProduceAnswer {
  const partitions: PartitionAnswer[] = [];
  let at = 4;
  for (let topics = payload.readInt32BE(0); topics > 0; topics--) {
    const nameEnd = at + 2 + payload.readInt16BE(at);
    const topic = payload.toString('utf8', at + 2, nameEnd);
    at = nameEnd + 4;
    for (let left = payload.readInt32BE(nameEnd); left > 0; left--) {
      partitions.push({ topic, partition: payload.readInt32BE(at), errorCode: payload.readInt16BE(at + 4) });
      // Besides these: base offset, log append time and log start offset.
      at += 4 + 2 + 8 + 8 + 8;
    }
  }
  return { partitions, throttleMs: payload.readInt32BE(at) };
}

function byTopic(batches: readonly PartitionBatch[]): [string, PartitionBatch[]][] {
  const topics = new Map<string, PartitionBatch[]>();
  for (const batch of batches) {
    const ofTopic = topics.get(batch.topic);
    if (ofTopic) ofTopic.push(batch);
    else topics.set(batch.topic, [batch]);
  }
  return [...topics];
}

const stringBytes = (text: string): number => 2 + Buffer.byteLength(text);

function writeString(request: Buffer, at: number, text: string): number {
  const bytes = request.write(text, at + 2);
  request.writeInt16BE(bytes, at);
  return at + 2 + bytes;
}
