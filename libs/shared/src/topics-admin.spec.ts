import { describe, expect, it } from 'vitest';
import { MemoryBus } from './bus/memory/memory-bus.js';
import { TOPICS, topicNames } from './contracts/topics.js';
import { checkTopics, createTopicsFor } from './topics-admin.js';

const names = topicNames('team-a.');

describe('topics', () => {
  it('are created as the table says, and pass the check', async () => {
    const bus = new MemoryBus();
    await createTopicsFor(bus, names, { dataPartitions: 3, controlPartitions: 2 });
    expect(await checkTopics(bus, names)).toEqual({ dataPartitions: { outcome: 3, label: 3 }, controlPartitions: 2 });
    const described = await bus.describeTopics(TOPICS.map((role) => names[role]));
    const byName = Object.fromEntries(described.map((d) => [d.topic, d]));
    expect(byName['team-a.prediction-outcome']?.config['message.timestamp.type']).toBe('LogAppendTime');
    expect(byName['team-a.rollout-state']?.config['cleanup.policy']).toBe('compact');
    expect(byName['team-a.dead-letter']?.partitions).toBe(1);
  });

  it('that exist already are left as they are', async () => {
    const bus = new MemoryBus();
    await createTopicsFor(bus, names, { dataPartitions: 3 });
    await createTopicsFor(bus, names, { dataPartitions: 5 });
    expect((await checkTopics(bus, names)).dataPartitions.outcome).toBe(3);
  });

  it('that are missing are all named, with the remedy', async () => {
    const bus = new MemoryBus();
    await createTopicsFor(bus, topicNames());
    const mixed = topicNames('', { label: 'ml.labels', state: 'ml.state' });
    await expect(checkTopics(bus, mixed)).rejects.toMatchObject({
      code: 'missing-topic',
      message: expect.stringMatching(/ml\.labels, ml\.state.*canaryctl topics create/) as unknown,
    });
    await expect(checkTopics(bus, mixed, ['outcome', 'decision'])).resolves.toMatchObject({ controlPartitions: 8 });
  });

  it('with settings that would falsify evidence are refused, each with what to set', async () => {
    const bus = new MemoryBus();
    await bus.createTopics([
      { topic: names.outcome, partitions: 2 },
      { topic: names.state, partitions: 2 },
      { topic: names.verdict, partitions: 3, config: { 'cleanup.policy': 'compact' } },
    ]);
    const refusal = checkTopics(bus, names, ['outcome', 'state', 'verdict']);
    await expect(refusal).rejects.toMatchObject({ code: 'wrong-topic-setting' });
    const message = await refusal.catch((error: Error) => error.message);
    expect(message).toContain('team-a.prediction-outcome: message.timestamp.type is CreateTime');
    expect(message).toContain('team-a.rollout-state: cleanup.policy is delete and must be compact');
    expect(message).toContain('team-a.rollout-verdict: cleanup.policy is compact and must be delete');
    expect(message).toContain('team-a.rollout-state 2, team-a.rollout-verdict 3');
  });
});
