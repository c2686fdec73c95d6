/**
 * CloudEvents 1.0, Kafka protocol binding, binary mode: attributes are `ce_*` headers, the value is the data itself.
 * Used on the low-volume topics (verdict, command, decision, state).
 */
export interface CloudEventAttributes {
  readonly id: string;
  /** URI-reference, e.g. /model-canary/controller. */
  readonly source: string;
  /** Reverse-DNS, e.g. io.modelcanary.rollout.decision. */
  readonly type: string;
  readonly subject: string;
  readonly timeMs: number;
}

export function cloudEventHeaders(event: CloudEventAttributes): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_subject: event.subject,
    ce_time: new Date(event.timeMs).toISOString(),
    'content-type': 'application/json',
  };
}

/** The data of a record in binary or structured mode; null for a tombstone. */
export function cloudEventData(value: Buffer | null, headers: Readonly<Record<string, string>>): Buffer | null {
  if (value === null || !headers['content-type']?.startsWith('application/cloudevents')) return value;
  try {
    const envelope = JSON.parse(value.toString('utf8')) as { data?: unknown };
    return envelope.data === undefined ? null : Buffer.from(JSON.stringify(envelope.data));
  } catch {
    return value; // the codec of the topic names what is wrong with it
  }
}
