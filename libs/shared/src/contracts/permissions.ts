import type { TopicRole } from './topics.js';

/** As Kafka's ACLs name them. Read and Write include Describe. */
export type TopicOperation = 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs';

export interface KafkaPermissions {
  /** By topic, whatever it is called. */
  readonly topics: Readonly<Partial<Record<TopicRole, readonly TopicOperation[]>>>;
  /** Beginnings of consumer groups: Read. `{prefix}` is TOPIC_PREFIX. */
  readonly groups: readonly string[];
  /** Beginnings of transactional ids: Write. */
  readonly transactionalIds: readonly string[];
}

/**
 * The least that each service needs on a Kafka with an authorizer. Groups of services are named after EVALUATOR_GROUP and
 * CONTROLLER_GROUP, those in which something is read alone after the service. The README has this as a table.
 */
export const KAFKA_PERMISSIONS = {
  router: {
    topics: { outcome: ['Write', 'DescribeConfigs'], state: ['Read', 'DescribeConfigs'], label: ['Write'] },
    groups: ['router-'],
    transactionalIds: [],
  },
  evaluator: {
    topics: {
      outcome: ['Read', 'Write', 'DescribeConfigs'],
      label: ['Read', 'Write', 'DescribeConfigs'],
      verdict: ['Read', 'Write', 'DescribeConfigs'],
      decision: ['Read', 'DescribeConfigs'],
      state: ['Read', 'DescribeConfigs'],
      checkpoint: ['Read', 'Write', 'DescribeConfigs'],
      deadLetter: ['Write', 'DescribeConfigs'],
    },
    groups: ['{prefix}evaluator', 'evaluator-'],
    transactionalIds: ['{prefix}evaluator-'],
  },
  controller: {
    topics: {
      verdict: ['Read', 'DescribeConfigs'],
      command: ['Read', 'Write', 'DescribeConfigs'],
      decision: ['Read', 'Write', 'DescribeConfigs'],
      state: ['Read', 'Write', 'DescribeConfigs'],
      label: ['Write', 'DescribeConfigs'],
      deadLetter: ['Write', 'DescribeConfigs'],
    },
    groups: ['{prefix}controller', 'controller-'],
    transactionalIds: ['{prefix}controller-'],
  },
  'canaryctl topics': {
    topics: {
      outcome: ['Create', 'Describe', 'DescribeConfigs'],
      label: ['Create', 'Describe', 'DescribeConfigs'],
      verdict: ['Create', 'Describe', 'DescribeConfigs'],
      command: ['Create', 'Describe', 'DescribeConfigs'],
      decision: ['Create', 'Describe', 'DescribeConfigs'],
      state: ['Create', 'Describe', 'DescribeConfigs'],
      checkpoint: ['Create', 'Describe', 'DescribeConfigs'],
      deadLetter: ['Create', 'Describe', 'DescribeConfigs'],
    },
    groups: [],
    transactionalIds: [],
  },
  'canaryctl replay, export': {
    topics: {
      outcome: ['Read', 'DescribeConfigs'],
      label: ['Read', 'DescribeConfigs'],
      verdict: ['Read', 'DescribeConfigs'],
      decision: ['Read', 'DescribeConfigs'],
      state: ['Read', 'DescribeConfigs'],
    },
    groups: ['canaryctl-'],
    transactionalIds: [],
  },
} as const satisfies Readonly<Record<string, KafkaPermissions>>;
