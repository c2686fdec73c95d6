import {
  ArmFigureSchema,
  BucketCountsSchema,
  BucketRecordSchema,
  CheckResultSchema,
  CommandSchema,
  CutSchema,
  DeadLetterSchema,
  DecisionReasonSchema,
  DecisionSchema,
  LabelSchema,
  OutcomeSchema,
  PairSchema,
  publishedSchemas,
  RolloutProgressSchema,
  RolloutSpecSchema,
  RolloutStateSchema,
  TickSchema,
  TOPIC_TABLE,
  type TopicRole,
  TOPICS,
  VerdictSchema,
  VersionStateSchema,
} from '@app/shared';
import { Type as T } from '@sinclair/typebox';

const SCHEMAS = {
  Outcome: OutcomeSchema,
  BucketRecord: BucketRecordSchema,
  BucketCounts: BucketCountsSchema,
  Tick: TickSchema,
  Label: LabelSchema,
  Pair: PairSchema,
  Verdict: VerdictSchema,
  Cut: CutSchema,
  CheckResult: CheckResultSchema,
  ArmFigure: ArmFigureSchema,
  Command: CommandSchema,
  Decision: DecisionSchema,
  DecisionReason: DecisionReasonSchema,
  RolloutState: RolloutStateSchema,
  RolloutProgress: RolloutProgressSchema,
  RolloutSpec: RolloutSpecSchema,
  VersionState: VersionStateSchema,
  VersionStates: T.Record(T.String(), VersionStateSchema),
  DeadLetter: DeadLetterSchema,
} as const;
type SchemaName = keyof typeof SCHEMAS;

interface TopicText {
  readonly about: string;
  readonly messages: readonly SchemaName[];
  /** From where Model Canary stands. */
  readonly operations: Readonly<Partial<Record<'send' | 'receive', string>>>;
  /** The type of its CloudEvents; absent: bare JSON. */
  readonly event?: string;
}

const TEXTS: Readonly<Record<TopicRole, TopicText>> = {
  outcome: {
    about:
      'What became of every prediction (outcome), what a bucket of them looks like so far (bucket), and a sign of life in idle partitions (tick).',
    messages: ['Outcome', 'BucketRecord', 'Tick'],
    operations: {
      send: 'Routers tell what became of predictions; evaluators write ticks.',
      receive: 'Evaluators fold it.',
    },
  },
  label: {
    about: 'The truth about predictions, whenever it becomes known; and, in shadow steps, pairs of answers.',
    messages: ['Label', 'Pair'],
    operations: { receive: 'Whoever knows the truth sends it here.', send: 'Routers write pairs, the API labels.' },
  },
  verdict: {
    about: 'What the data says of a rollout, and how far in every partition the verdicts rest on the records (cut).',
    messages: ['Verdict', 'Cut'],
    operations: { send: 'Evaluators judge.', receive: 'Controllers decide by it.' },
    event: 'io.modelcanary.rollout.verdict',
  },
  command: {
    about: 'What a person or a program asked for.',
    messages: ['Command'],
    operations: { send: 'The API hands commands on.', receive: 'Controllers carry them out.' },
    event: 'io.modelcanary.rollout.command',
  },
  decision: {
    about: 'What was done, in order, and why. It alone tells the whole history of a model.',
    messages: ['Decision'],
    operations: { send: 'Controllers decide. Subscribe here.' },
    event: 'io.modelcanary.rollout.decision',
  },
  state: {
    about: 'The whole desired state of each model. A record without a value ends a model.',
    messages: ['RolloutState'],
    operations: { send: 'Controllers write it with each decision.', receive: 'Routers take their weights from it.' },
    event: 'io.modelcanary.rollout.state',
  },
  checkpoint: {
    about: "The evaluators' own: slots and evidence, as a JSON manifest and packed pieces. Nobody else's to read.",
    messages: [],
    operations: {
      send: 'Evaluators keep what they would have to fold again.',
      receive: 'Evaluators take over from it.',
    },
  },
  deadLetter: {
    about: 'Records that could not be used, with where they stand and why.',
    messages: ['DeadLetter'],
    operations: { send: 'All services.' },
  },
};

/** CloudEvents 1.0, Kafka binding, binary mode; and the W3C context, where a trace has it. */
const eventHeaders = (type: string) => ({
  type: 'object',
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'content-type'],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { type: 'string' },
    ce_source: { type: 'string', description: 'Which service.' },
    ce_type: { const: type },
    ce_subject: { type: 'string', description: 'The model.' },
    ce_time: { type: 'string', format: 'date-time' },
    'content-type': { const: 'application/json' },
    ...TRACE_HEADERS,
  },
});
const TRACE_HEADERS = { traceparent: { type: 'string' }, tracestate: { type: 'string' } };

const messageName = (schema: SchemaName): string => schema.charAt(0).toLowerCase() + schema.slice(1);

/** AsyncAPI 3 of all topics, from the contracts and the table of topics. `examples` by schema name. */
export function asyncApiDocument(version: string, examples: Readonly<Record<string, readonly unknown[]>>): object {
  return {
    asyncapi: '3.0.0',
    id: 'urn:model-canary',
    info: {
      title: 'Model Canary',
      version,
      description:
        'Canary releases of models. Names of topics are configurable (TOPIC_PREFIX, TOPIC_NAMES); values are JSON, optional fields may be added.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      tags: [{ name: 'kafka' }],
    },
    defaultContentType: 'application/json',
    servers: { kafka: { host: 'kafka:9092', protocol: 'kafka', description: 'KAFKA_BROKERS' } },
    channels: Object.fromEntries(TOPICS.map((role) => [role, channel(role)])),
    operations: Object.fromEntries(TOPICS.flatMap(operations)),
    components: {
      schemas: publishedSchemas(SCHEMAS, '#/components/schemas/', 'draft-7'),
      messages: {
        ...Object.fromEntries(TOPICS.flatMap((role) => messages(role, examples))),
        opaque: { title: 'Opaque', summary: 'Not for others.', payload: {} },
      },
    },
  };
}

function channel(role: TopicRole) {
  const { defaultName, cleanupPolicy, retentionMs, logAppendTime } = TOPIC_TABLE[role];
  const { about, messages } = TEXTS[role];
  const names = messages.length > 0 ? messages.map(messageName) : ['opaque'];
  return {
    address: defaultName,
    description: about,
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: {
      kafka: {
        topic: defaultName,
        topicConfiguration: {
          'cleanup.policy': [cleanupPolicy],
          ...(retentionMs === null ? {} : { 'retention.ms': retentionMs }),
        },
        bindingVersion: '0.5.0',
      },
    },
    ...(logAppendTime ? { 'x-message-timestamp-type': 'LogAppendTime' } : {}),
  };
}

function operations(role: TopicRole) {
  return Object.entries(TEXTS[role].operations).map(
    ([action, summary]) =>
      [
        `${action}${role.charAt(0).toUpperCase()}${role.slice(1)}`,
        { action, channel: { $ref: `#/channels/${role}` }, summary },
      ] as const,
  );
}

function messages(role: TopicRole, examples: Readonly<Record<string, readonly unknown[]>>) {
  const { messages: names, event } = TEXTS[role];
  const { key } = TOPIC_TABLE[role];
  return names.map((schema) => {
    const payloads = examples[schema] ?? [];
    const message = {
      name: messageName(schema),
      title: schema,
      contentType: 'application/json',
      headers: event ? eventHeaders(event) : { type: 'object', properties: TRACE_HEADERS },
      payload: { $ref: `#/components/schemas/${schema}` },
      bindings: { kafka: { key: { type: 'string', description: key }, bindingVersion: '0.5.0' } },
      ...(payloads.length > 0 ? { examples: payloads.map((payload) => ({ payload })) } : {}),
    };
    return [messageName(schema), message] as const;
  });
}
