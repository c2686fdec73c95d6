import { createHmac } from 'node:crypto';
import type { Decision, DecisionAction } from '@app/shared';
import type { NotificationTarget } from './target.js';

export interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A decision as a target takes it. The id is the decision's, so whoever is told twice can tell. Signed as Standard
 * Webhooks has it: HMAC-SHA256 over id, time and body, so that any library for it can verify, and refuse what is old.
 */
export function messageOf(target: NotificationTarget, decision: Decision, nowMs: number): Message {
  const body = target.format === 'slack' ? slackBody(decision) : JSON.stringify(decision);
  const { decisionId: id } = decision;
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = target.secret && signatureOf(target.secret, `${id}.${timestamp}.${body}`);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'model-canary',
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(signature === undefined ? {} : { 'webhook-signature': `v1,${signature}` }),
      ...(target.format === 'json' ? cloudEventOf(decision) : {}),
    },
  };
}

const signatureOf = (secret: Buffer, signed: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64');

/** CloudEvents 1.0, HTTP protocol binding, binary mode: as the record in Kafka. */
function cloudEventOf({ decisionId, model, at }: Decision): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': decisionId,
    'ce-source': '/model-canary/controller',
    'ce-type': 'io.modelcanary.rollout.decision',
    // Header values are ASCII; the specification has them percent-encoded.
    'ce-subject': encodeURIComponent(model),
    'ce-time': new Date(at).toISOString(),
  };
}

const MARKS: Readonly<Partial<Record<DecisionAction, string>>> = {
  promoted: ':white_check_mark:',
  'rolled-back': ':rotating_light:',
  aborted: ':octagonal_sign:',
  held: ':hourglass:',
  paused: ':double_vertical_bar:',
};

/** `text` is what a notification on a phone shows; the blocks are what a channel shows. */
function slackBody(decision: Decision): string {
  const { model, action, reason, to, actor, onBehalfOf, rollout, decisionId } = decision;
  const what = `${model}: ${action.replaceAll('-', ' ')}`;
  const traffic = Object.entries(to)
    .filter(([, weight]) => weight > 0)
    .map(([version, weight]) => `${version} ${Number((weight * 100).toFixed(2))} %`)
    .join(' · ');
  const who = onBehalfOf === undefined ? actor : `${actor} on behalf of ${onBehalfOf}`;
  const context = [rollout ?? decisionId, `by ${who}`, traffic].map(escaped).join('  |  ');
  const headline = `${MARKS[action] ?? ''} *${escaped(what)}*`.trim();
  return JSON.stringify({
    text: escaped(`${what}. ${reason.text}`),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: cut(`${headline}\n${escaped(reason.text)}`) } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: cut(context) }] },
    ],
  });
}

/** Slack's own three; so that no reason mentions a channel or makes a link. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Slack refuses longer ones. */
const SLACK_TEXT_MAX = 2900;
const cut = (text: string): string => (text.length <= SLACK_TEXT_MAX ? text : `${text.slice(0, SLACK_TEXT_MAX)} ...`);
