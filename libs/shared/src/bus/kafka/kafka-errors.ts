/** Kafka's names of an error and of what caused it: kafkajs wraps them in up to three layers. */
export function errorTypes(error: unknown): string[] {
  const types: string[] = [];
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    if ('type' in e && typeof e.type === 'string') types.push(e.type);
  }
  return types;
}

const hasType = (error: unknown, wanted: readonly string[]): boolean =>
  errorTypes(error).some((type) => wanted.includes(type));

/** The broker and this producer do not agree on sequence numbers any more: only a new producer helps. */
export const isSequenceError = (error: unknown): boolean =>
  hasType(error, [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'DUPLICATE_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
    'INVALID_PRODUCER_ID_MAPPING',
  ]);

export const isTooLarge = (error: unknown): boolean => hasType(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** Another producer has taken over the transactional id. */
export const isFenced = (error: unknown): boolean => hasType(error, ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']);
