import { labelCodec, KafkaBus, silentLogger, systemClock, topicNames } from '@app/shared';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type CliRun, runAtTerminal, wordsOf } from '../../apps/cli/src/testing/fake-terminal.js';
import { World } from '../../apps/controller/test/controller-fixture.js';

const FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002 }
prediction: { pointer: /class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0.5, v2: 0.5 } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: 10m } }
`;

const run = (command: string, env: Record<string, string>, file = FILE): Promise<CliRun> =>
  runAtTerminal(wordsOf(command), {
    env,
    clock: systemClock,
    fetch,
    readFile: async () => file,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 100)),
    connectBus: () =>
      new KafkaBus({ brokers: env['KAFKA_BROKERS']!.split(','), clientId: 'canaryctl', logger: silentLogger }),
  });

describe('canaryctl and a real controller', () => {
  let world: World;
  let env: Record<string, string>;
  const ctl = (command: string, file?: string): Promise<CliRun> => run(command, env, file);

  beforeEach(async () => {
    world = await World.create();
    const token = 'a-token-of-some-length';
    const { url } = await world.controller({ env: { CONTROLLER_TOKEN: token } });
    env = { CANARY_SERVER: url, CANARY_TOKEN: token, CANARY_ACTOR: 'ada' };
  });
  afterEach(() => world.close());

  it('takes a rollout from its file to its promotion, and back', async () => {
    expect((await ctl('list')).out).toMatch(/no models yet/);
    const rehearsal = await ctl('apply -f rollout.yaml --dry-run --rate 500');
    expect(rehearsal.out).toMatch(/would be carried out; nothing was done[\s\S]*at 500 predictions\/s: about/);
    expect((await ctl('get digits')).err).toMatch(/there is no model digits/);

    expect((await ctl('apply -f rollout.yaml')).out).toMatch(/digits: digits-1 begins as soon as v2 is ready/);
    await world.decided('started');
    expect((await ctl('apply -f rollout.yaml')).out).toMatch(/digits-1 stands like that already, nothing was done/);
    await world.judge('continue');
    expect((await ctl('list')).out).toMatch(/digits +Progressing \(step 1\/3, .*v1 -> v2 +10 %/);

    expect((await ctl('pause digits --reason "busy hours"')).out).toMatch(
      /Paused.*\npaused by operator on behalf of ada: busy hours/,
    );
    expect((await ctl('status digits --wait')).exit).toBe(3);
    expect((await ctl('resume digits')).out).toMatch(/Progressing.*\nresumed by operator on behalf of ada/);
    expect((await ctl('promote digits')).out).toMatch(/v1 50 % · v2 50 %/);
    expect((await ctl('promote digits --full --reason "seen enough"')).out).toMatch(/Promoted \(v2\)/);
    expect((await ctl('status digits --wait')).exit).toBe(0);
    expect((await ctl('undo digits --reason "customers complain"')).out).toMatch(/v1 is stable again/);

    const { out } = await ctl('history digits');
    const actions = 'registered started paused resumed weight-changed promoted undone'.split(' ');
    for (const action of actions) expect(out).toMatch(new RegExp(`^.* ${action} .*$`, 'm'));
    const history = JSON.parse((await ctl('history digits -o json')).out) as { action: string; actor: string }[];
    expect(history.map((decision) => decision.action)).toEqual(actions);
    expect(history.at(-1)).toMatchObject({ actor: 'operator', onBehalfOf: 'ada' });
  });

  it('shows the figures that rolled it back, and gives the file back as it was understood', async () => {
    await ctl('apply -f rollout.yaml');
    await world.decided('started');
    await world.judge('fail', { reason: { code: 'errors-too-many', text: 'too many errors' } });
    await world.decided('rolled-back');
    const { exit, out } = await ctl('status digits --wait');
    expect([exit, out]).toEqual([
      2,
      expect.stringMatching(/^digits: Rolled back \(v2 at step 1\/3\): .*too many errors/),
    ]);
    expect((await ctl('get digits')).out).toMatch(/error rate +0.005 +0.006 +\+0.1pp \[-0.4,\+0.6\] +\+1.0pp +1,000/);
    expect((await ctl('explain digits')).out).toMatch(/says fail: too many errors/);
    const yaml = (await ctl('get digits -o yaml')).out;
    expect((await ctl('apply -f rollout.yaml', yaml)).out).toMatch(/digits-2 begins/);
  });

  it('sets traffic by hand while no rollout is open, and is told why not otherwise', async () => {
    await ctl('apply -f rollout.yaml');
    await world.decided('started');
    const open = await ctl('set-traffic digits v1=0.9 v2=0.1 --reason test');
    expect([open.exit, open.err]).toEqual([
      1,
      expect.stringMatching(/an open rollout, digits-1, which decides on the traffic/),
    ]);
    const second = await ctl('apply -f rollout.yaml', FILE.replace('10m', '20m'));
    expect([second.exit, second.err]).toEqual([
      1,
      expect.stringMatching(/an open rollout, digits-1 .*abort or promote it first/),
    ]);
    expect((await ctl('abort digits --reason test')).out).toMatch(/Aborted/);
    expect((await ctl('status digits')).exit).toBe(2);
    const wrong = await ctl('set-traffic digits v1=90 v2=10 --reason test');
    expect([wrong.exit, wrong.err]).toEqual([1, expect.stringMatching(/v1: 0.9, v2: 0.1|0.9 and 0.1/)]);
    expect((await ctl('set-traffic digits v1=0.8 v2=0.2 --reason "by hand"')).out).toMatch(/v1 80 % · v2 20 %/);
  });

  it('sends labels to the topic', async () => {
    const lines = [3, 'seven'].map((label) => JSON.stringify({ predictionId: `p-${label}`, label })).join('\n');
    expect((await ctl('labels send', lines)).out).toBe('2 labels sent\n');
    const labels: unknown[] = [];
    const follower = world.bus.follower({
      topics: [world.topics.label],
      onBatch: ({ records }) => {
        for (const record of records) labels.push(labelCodec.decode(record.value));
      },
    });
    await follower.caughtUp();
    await follower.close();
    expect(labels).toContainEqual({ ok: true, value: { predictionId: 'p-seven', label: 'seven' } });
    expect(labels).toHaveLength(2);
  });

  it('asks for the token that the controller wants', async () => {
    env = { CANARY_SERVER: env['CANARY_SERVER']! };
    expect((await ctl('list')).err).toMatch(/set CANARY_TOKEN/);
  });
});

describe('canaryctl and a real Kafka', () => {
  it('creates the topics as they must be, and says what is wrong with others', async () => {
    const brokers = inject('sharedKafka');
    const prefix = `team-${Date.now()}.`;
    const env = { KAFKA_BROKERS: brokers, TOPIC_PREFIX: prefix };
    const missing = await run('topics check', env);
    expect([missing.exit, missing.err]).toEqual([1, expect.stringMatching(/do not exist.*canaryctl topics create/)]);
    const bus = new KafkaBus({ brokers: [brokers], clientId: 'test', logger: silentLogger });
    // Somebody's own topic, with the time of its producers.
    await bus.createTopics([{ topic: topicNames(prefix).label, partitions: 2 }]);
    const wrong = await run('topics create --data-partitions 4 --control-partitions 2', env);
    expect([wrong.exit, wrong.err]).toEqual([
      1,
      expect.stringMatching(/prediction-label: message.timestamp.type is CreateTime/),
    ]);
    const other = { ...env, TOPIC_NAMES: `label=${prefix}truth` };
    expect((await run('topics create --data-partitions 4 --control-partitions 2', other)).exit).toBe(0);
    const checked = JSON.parse((await run('topics check -o json', other)).out) as unknown;
    expect(checked).toMatchObject({ dataPartitions: { outcome: 4, label: 4 }, controlPartitions: 2 });
    await bus.close();
  });
});
