/** Every topic in one table: used to create, to check and to document them. */
export const TOPICS = [
  'outcome',
  'label',
  'verdict',
  'command',
  'decision',
  'state',
  'checkpoint',
  'deadLetter',
] as const;
export type TopicRole = (typeof TOPICS)[number];

export interface TopicDefinition {
  readonly role: TopicRole;
  /** Default name; a prefix and each name are configurable. */
  readonly defaultName: string;
  readonly key: string;
  readonly writtenBy: string;
  readonly readBy: string;
  /** `data` topics may have any number; all `control` topics must have the same, and it never changes. */
  readonly partitions: 'data' | 'control' | 'one';
  /** Milliseconds; null: for ever (compacted). */
  readonly retentionMs: number | null;
  readonly cleanupPolicy: 'delete' | 'compact';
  /** The evaluator's log time needs it. */
  readonly logAppendTime: boolean;
}

const DAY_MS = 86_400_000;

export const TOPIC_TABLE: Readonly<Record<TopicRole, TopicDefinition>> = {
  outcome: topic(
    'outcome',
    'prediction-outcome',
    'prediction id; partition chosen by the router',
    'routers',
    'evaluator, anyone',
    'data',
    7 * DAY_MS,
  ),
  label: topic(
    'label',
    'prediction-label',
    'prediction id',
    'whoever knows the truth; routers (pairs)',
    'evaluator',
    'data',
    30 * DAY_MS,
  ),
  verdict: topic(
    'verdict',
    'rollout-verdict',
    "model; cut records: the owner's partition",
    'evaluator',
    'controller, anyone',
    'control',
    30 * DAY_MS,
  ),
  command: topic('command', 'rollout-command', 'model', 'controller API', 'controller', 'control', 30 * DAY_MS),
  decision: topic('decision', 'rollout-decision', 'model', 'controller', 'downstream systems', 'control', 365 * DAY_MS),
  state: topic('state', 'rollout-state', 'model', 'controller', 'routers, controller, evaluator', 'control', null),
  checkpoint: topic('checkpoint', 'evaluator-checkpoint', 'model, or slot', 'evaluator', 'evaluator', 'control', null),
  deadLetter: topic('deadLetter', 'dead-letter', 'source key', 'all', 'people', 'one', 14 * DAY_MS),
};

function topic(
  role: TopicRole,
  defaultName: string,
  key: string,
  writtenBy: string,
  readBy: string,
  partitions: TopicDefinition['partitions'],
  retentionMs: number | null,
): TopicDefinition {
  const cleanupPolicy = retentionMs === null ? 'compact' : 'delete';
  return {
    role,
    defaultName,
    key,
    writtenBy,
    readBy,
    partitions,
    retentionMs,
    cleanupPolicy,
    logAppendTime: role === 'outcome' || role === 'label',
  };
}

export type TopicNames = Readonly<Record<TopicRole, string>>;

/** Names with a prefix (`team-a.` for instance) and single names replaced. */
export function topicNames(prefix = '', overrides: Partial<Record<TopicRole, string>> = {}): TopicNames {
  const entries = TOPICS.map((role) => [role, overrides[role] ?? prefix + TOPIC_TABLE[role].defaultName] as const);
  return Object.fromEntries(entries) as Record<TopicRole, string>;
}
