import { createTopicsFor, KafkaBus, silentLogger, topicNames } from '@app/shared';
import kafkajs from 'kafkajs';
import type { Track } from './contestant.js';
import { OWNERS } from './unguarded-slot-store.js';

/**
 * Makes the topics that evaluators write anew. What an earlier run has left in them would be taken over: owners of models
 * would wait for slots, which are empty again, to come to an old cut, in place of folding them.
 */
export async function emptyOutputs({ brokers, topicPrefix, partitions }: Track): Promise<void> {
  const names = topicNames(topicPrefix);
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: kafkajs.logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics: [names.verdict, names.checkpoint] });
  } finally {
    await admin.disconnect();
  }
  const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'bench', logger: silentLogger });
  try {
    await createTopicsFor(bus, names, { dataPartitions: partitions, controlPartitions: OWNERS });
  } finally {
    await bus.close();
  }
}
