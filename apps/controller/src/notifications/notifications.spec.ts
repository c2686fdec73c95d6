import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Decision, MemoryBus } from '@app/shared';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until, World } from '../../test/controller-fixture.js';
import { Receiver } from '../../test/receiver.js';
import { readTargets } from './targets-file.js';

const FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002 }
steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 } }]
`;
const SECRET = `whsec_${Buffer.from('a secret that is long enough').toString('base64')}`;

let folder: string;
let receiver: Receiver;
let world: World;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'notifications-'));
  writeFileSync(join(folder, 'secret'), SECRET);
  receiver = await Receiver.start();
  world = await World.create();
});
afterEach(async () => {
  await world.close();
  await receiver.close();
  rmSync(folder, { recursive: true });
});

const start = (...targets: object[]) => world.controller({ env: { NOTIFICATIONS: JSON.stringify(targets) } });
const started = async (): Promise<void> => {
  await world.post('/api/v1/rollouts', FILE);
  await world.decided('started');
};

describe('a decision', () => {
  test('comes signed as it stands in the topic, once, with its id as the key', async () => {
    await start({ name: 'ci', url: receiver.url('/ci'), secretFile: join(folder, 'secret') });
    await started();
    await until(() => receiver.received.length === 2);
    expect(receiver.ids('/ci')).toEqual(['digits/1', 'digits/2']);
    const { headers, body } = receiver.received[1]!;
    expect(JSON.parse(body)).toEqual(world.decisions[1]);
    expect(headers).toMatchObject({
      'ce-type': 'io.modelcanary.rollout.decision',
      'ce-id': 'digits/2',
      'content-type': 'application/json',
    });
    // The judge of the signature is not ours; it also refuses what is old, by the real clock.
    const signed = { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) } as unknown as Record<
      string,
      string
    >;
    expect(() => new Webhook(SECRET).verify(body, signed)).toThrow('No matching signature');
  });

  test('is verified by what others verify webhooks with, and a changed body is not', async () => {
    world.clock.advance(Date.now() - world.clock.nowMs());
    await start({ name: 'ci', url: receiver.url('/ci'), secretFile: join(folder, 'secret') });
    await started();
    await until(() => receiver.received.length === 2);
    const { headers, body } = receiver.received[0]!;
    const webhook = new Webhook(SECRET);
    expect((webhook.verify(body, headers as Record<string, string>) as Decision).decisionId).toBe('digits/1');
    expect(() => webhook.verify(body.replace('digits', 'fraud'), headers as Record<string, string>)).toThrow();
  });

  test('comes to those who asked for its action and its model alone', async () => {
    await start(
      { name: 'rollbacks', url: receiver.url('/rollbacks'), actions: ['rolled-back'] },
      { name: 'digits', url: receiver.url('/digits'), models: ['dig*'] },
      { name: 'fraud', url: receiver.url('/fraud'), models: ['fraud'] },
    );
    await started();
    await world.judge('fail', { reason: { code: 'errors-too-many', text: 'too many' } });
    await until(() => receiver.received.length === 4);
    expect(receiver.ids('/rollbacks')).toEqual(['digits/3']);
    expect(receiver.ids('/digits')).toEqual(['digits/1', 'digits/2', 'digits/3']);
    expect(receiver.ids('/fraud')).toEqual([]);
  });

  test('comes to Slack as text and blocks, in which nothing that people wrote is markup', async () => {
    await start({ name: 'slack', url: receiver.url('/slack'), format: 'slack', actions: ['aborted'] });
    await started();
    await world.post('/api/v1/models/digits/abort', { reason: '<!channel> & <http://evil.example|look>' });
    await until(() => receiver.received.length === 1);
    const { text, blocks } = JSON.parse(receiver.received[0]!.body) as { text: string; blocks: unknown[] };
    expect(text).toMatch(/^digits: aborted\. .*&lt;!channel&gt; &amp; &lt;http/);
    expect(blocks).toMatchObject([
      { type: 'section', text: { type: 'mrkdwn', text: expect.stringContaining('*digits: aborted*') as string } },
      {
        type: 'context',
        elements: [{ text: expect.stringContaining('digits-1  |  by anonymous  |  v1 100 %') as string }],
      },
    ]);
  });
});

const count = async (target: string, result: string): Promise<number> => {
  const { body } = await world.get<string>('/metrics');
  const [, n] = new RegExp(`notifications_total\\{target="${target}",result="${result}"\\} (\\d+)`).exec(body) ?? [];
  return Number(n ?? 0);
};
const counted = (target: string, result: string, atLeast: number): Promise<void> =>
  until(async () => (await count(target, result)) >= atLeast);

describe('a receiver that fails', () => {
  /** Waits until so many, or more: the clock that is moved on makes other decisions too. */
  test('is told again later and later, in order, while others are told at once', async () => {
    receiver.answers.set('/bad', { status: 500 });
    await start({ name: 'bad', url: receiver.url('/bad') }, { name: 'good', url: receiver.url('/good') });
    await started();
    await until(() => receiver.ids('/good').length === 2);
    await counted('bad', 'failed', 1);
    world.clock.advance(900);
    expect(receiver.ids('/bad')).toEqual(['digits/1']);
    world.clock.advance(400);
    await counted('bad', 'failed', 2);
    receiver.answers.delete('/bad');
    world.clock.advance(2_600);
    await counted('bad', 'delivered', 2);
    expect(receiver.ids('/bad')).toEqual(['digits/1', 'digits/1', 'digits/1', 'digits/2']);
  });

  test('is not told sooner than it asks for', async () => {
    receiver.answers.set('/busy', { status: 429, headers: { 'retry-after': '30' } });
    await start({ name: 'busy', url: receiver.url('/busy') });
    await started();
    await counted('busy', 'failed', 1);
    receiver.answers.delete('/busy');
    world.clock.advance(20_000);
    // Whatever comes after it waits too: those of a model come in order.
    await world.post('/api/v1/models/digits/pause', {});
    await world.decided('paused');
    expect(receiver.ids('/busy')).toEqual(['digits/1']);
    world.clock.advance(20_000);
    await counted('busy', 'delivered', 3);
  });

  test('to the end is given up into the dead letters with the last words of it, and the next decision is told', async () => {
    receiver.answers.set('/bad', { status: 503 });
    await start({ name: 'bad', url: receiver.url('/bad'), retryFor: '10s' });
    await started();
    for (let attempts = 1; world.deadLetters.length === 0; attempts++) {
      await until(async () => world.deadLetters.length > 0 || receiver.ids('/bad').length >= attempts);
      world.clock.advance(10_000);
    }
    await counted('bad', 'dead', 1);
    receiver.answers.delete('/bad');
    // It may have refused the next one already, which then waits for its next time.
    const isTold = async (): Promise<boolean> => {
      world.clock.advance(100);
      return (await count('bad', 'delivered')) >= 1;
    };
    await until(isTold);
    expect(world.deadLetters[0]).toMatchObject({
      topic: 'rollout-decision',
      cause: {
        code: 'notification-failed',
        text: expect.stringMatching(/target bad did not take it in \d+ attempts.*status 503: answer 503/) as string,
      },
    });
    expect(receiver.ids('/bad')).toContain('digits/2');
  });

  test('for good (410) and by a redirect: the one is not asked again, the other is not followed', async () => {
    receiver.answers.set('/gone', { status: 410 });
    receiver.answers.set('/moved', { status: 302, headers: { location: receiver.url('/elsewhere') } });
    await start({ name: 'gone', url: receiver.url('/gone') }, { name: 'moved', url: receiver.url('/moved') });
    await started();
    await counted('gone', 'dead', 2);
    await counted('moved', 'failed', 1);
    expect(receiver.ids('/elsewhere')).toEqual([]);
  });
});

describe('a controller that is started again', () => {
  test('tells what was not taken, and nothing that was', async () => {
    receiver.answers.set('/late', { status: 500 });
    const targets = [
      { name: 'late', url: receiver.url('/late') },
      { name: 'prompt', url: receiver.url('/prompt') },
    ];
    await start(...targets);
    await started();
    await counted('prompt', 'delivered', 2);
    await until(() => receiver.ids('/late').length > 0);
    await world.controllers[0]!.close();
    expect(receiver.ids('/late')).not.toContain('digits/2');
    receiver.answers.delete('/late');
    await start(...targets);
    await until(() => receiver.ids('/late').includes('digits/2'));
    await world.post('/api/v1/models/digits/pause', {});
    await until(() => receiver.ids('/prompt').length === 3 && receiver.ids('/late').at(-1) === 'digits/3');
    expect(receiver.ids('/prompt')).toEqual(['digits/1', 'digits/2', 'digits/3']);
  });

  test('does not tell those who join later of what is long past', async () => {
    await start();
    await started();
    await world.controllers[0]!.close();
    world.clock.advance(7_200_000);
    await start({ name: 'new', url: receiver.url('/new'), maxAge: '1h' });
    await world.post('/api/v1/models/digits/pause', {});
    await until(() => receiver.received.length === 1);
    expect(receiver.ids('/new')).toEqual(['digits/3']);
  });
});

describe('the list of targets', () => {
  test.each<[string, unknown, string]>([
    ['no list', { name: 'x' }, 'write a list'],
    ['an unknown key', [{ name: 'x', url: 'http://a', uri: 'http://b' }], 'target 1: uri is not right'],
    ['an unknown action', [{ name: 'x', url: 'http://a', actions: ['exploded'] }], 'target 1: actions.0'],
    ['no address', [{ name: 'x' }], 'x: give url, or urlFile'],
    ['an address that is none', [{ name: 'x', url: 'ftp://secret.example' }], 'x: its address is no http'],
    [
      'a secret that is not there',
      [{ name: 'x', url: 'http://a', secretFile: '/nowhere' }],
      'secretFile cannot be read (ENOENT)',
    ],
    ['a duration that is none', [{ name: 'x', url: 'http://a', retryFor: '5 minutes' }], 'x: retryFor'],
    [
      'one name twice',
      [
        { name: 'x', url: 'http://a' },
        { name: 'x', url: 'http://b' },
      ],
      'twice',
    ],
  ])('with %s is refused, and nothing of an address is told', (_, list, why) => {
    const read = (): unknown => readTargets(JSON.stringify(list));
    expect(read).toThrow(why);
    expect(read).not.toThrow('secret.example');
  });

  test('may keep addresses and secrets in files, and is refused with a short secret', () => {
    writeFileSync(join(folder, 'url'), 'https://hooks.example/T0/B0/x\n');
    const list = [{ name: 'slack', urlFile: join(folder, 'url'), secretFile: join(folder, 'secret'), format: 'slack' }];
    expect(readTargets(JSON.stringify(list))).toMatchObject([
      { url: 'https://hooks.example/T0/B0/x', retryForMs: 3_600_000 },
    ]);
    writeFileSync(join(folder, 'secret'), 'short');
    expect(() => readTargets(JSON.stringify(list))).toThrow('shorter than 24 bytes');
  });
});

test('a controller with a list that is wrong does not start, and says why', async () => {
  const bus = new MemoryBus();
  await expect(start({ name: 'x' })).rejects.toMatchObject({ code: 'bad-configuration' });
  await bus.close();
});
