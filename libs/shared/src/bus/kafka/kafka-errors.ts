import { kafkajsInternals } from './kafkajs-internals.js';

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

/** Another producer has taken over the transactional id. */
export const isFenced = (error: unknown): boolean => hasType(error, ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']);

/** The leader of a partition is still to take its place. */
export const hasNoLeaderYet = (error: unknown): boolean =>
  hasType(error, ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/** The error of a code in an answer, with Kafka's name for it as `type`. */
export const errorOfCode = (code: number): Error => kafkajsInternals().errorOfCode(code);
