import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { type BusProducer, type Label, labelCodec, type Problem, type TopicNames } from '@app/shared';
import type { ControllerSettings } from '../config.js';
import { Documented, exampleRef, schemaRef } from './documented.js';
import { ProblemException, refuse, unprocessable } from './problem.js';
import type { LabelsAccepted } from './schemas.js';
import { PRODUCER, SETTINGS, TOPIC_NAMES } from './tokens.js';

const LABELS_MAX = 1_000;
const PROBLEMS_MAX = 20;

/** For people without a Kafka producer of their own. */
@ApiTags('labels')
@Controller('api/v1/labels')
export class LabelsController {
  constructor(
    @Inject(PRODUCER) private readonly producer: BusProducer,
    @Inject(TOPIC_NAMES) private readonly topics: TopicNames,
    @Inject(SETTINGS) private readonly settings: ControllerSettings,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiBody({
    required: true,
    examples: { LabelList: exampleRef('LabelList') },
    schema: {
      anyOf: [
        schemaRef('Label'),
        { type: 'array', maxItems: LABELS_MAX, items: schemaRef('Label') },
        schemaRef('LabelList'),
      ],
    },
  })
  @Documented({
    id: 'sendLabels',
    role: 'operate',
    summary: 'Writes the truth about predictions to prediction-label: one label, a list, or {labels}.',
    answers: { 202: { schema: 'LabelsAccepted', description: 'All of them are in Kafka.' } },
    problems: [
      'unreadable-request',
      'body-too-large',
      'unsupported-media-type',
      'invalid-input',
      'too-many',
      'kafka-away',
    ],
  })
  async send(@Body() body: unknown): Promise<LabelsAccepted> {
    const labels = readLabels(listOf(body));
    const records = labels.map((label) => ({
      topic: this.topics.label,
      key: label.predictionId,
      value: labelCodec.encode(label),
    }));
    const sent = this.producer.offer(records);
    if (!sent || !(await within(sent, this.settings.COMMAND_TIMEOUT_MS))) {
      // Labels that were admitted are still sent; a label that comes twice counts once.
      refuse(503, 'kafka-away', 'Kafka does not acknowledge the labels now; send them again, none counts twice');
    }
    return { accepted: labels.length };
  }
}

function listOf(body: unknown): readonly unknown[] {
  const labels = (body as { labels?: unknown } | null | undefined)?.labels ?? body;
  const list: readonly unknown[] = Array.isArray(labels) ? labels : [labels];
  if (list.length <= LABELS_MAX) return list;
  return refuse(422, 'too-many', `${list.length} labels at once; send at most ${LABELS_MAX} in a request`);
}

function readLabels(list: readonly unknown[]): Label[] {
  const labels: Label[] = [];
  const problems: Problem[] = [];
  list.forEach((item, index) => {
    const read = labelCodec.check(item);
    if (read.ok) labels.push(read.value);
    else {
      const place = (field: string): string => (field ? `${index}.${field}` : String(index));
      problems.push(
        ...read.problems.map((p) => ({ ...p, field: place(p.field), message: `label ${index}: ${p.message}` })),
      );
    }
  });
  if (problems.length > 0) throw new ProblemException(unprocessable(problems.slice(0, PROBLEMS_MAX)));
  return labels;
}

/** False: not in time, or not at all. */
async function within(sent: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
  try {
    return await Promise.race([
      sent.then(
        () => true,
        () => false,
      ),
      timeout.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
