import type { TestProject } from 'vitest/node';
import { startLocalStack } from '../../deploy/local/local-stack.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** host:port of a Kafka that all files share. Topics have prefixes of their own, and nobody breaks it. */
    readonly sharedKafka: string;
  }
}

/** Starting a Kafka costs four seconds of a core: only files that break theirs have one of their own. */
export default async function startSharedKafka({ provide }: TestProject): Promise<() => Promise<void>> {
  const stack = await startLocalStack({ redis: false });
  provide('sharedKafka', stack.kafkaBrokers);
  return () => stack.stop();
}
