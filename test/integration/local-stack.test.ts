import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { startLocalStack } from '../../deploy/local/local-stack.js';
import { portIsOpen } from '../../deploy/local/ports.js';
import { cpuMs } from '../benchmark/process-usage.js';

const portOf = (address: string): number => Number(address.split(':').at(-1));

it('starts Kafka and Redis within ten seconds of a core once they are fetched, and leaves nothing behind', async () => {
  const lines: string[] = [];
  await (await startLocalStack({ log: (line) => lines.push(line) })).stop();
  const startedAt = performance.now();
  const stack = await startLocalStack();
  // Beside the other suites the clock says little; with the machine to itself it is some four seconds.
  process.stderr.write(`Kafka and Redis started in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  if (stack.kafka?.pid !== undefined) expect(cpuMs(stack.kafka.pid)).toBeLessThan(10_000);
  const redis = new Redis(stack.redisUrl);
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
  expect(await portIsOpen(portOf(stack.kafkaBrokers))).toBe(true);
  await stack.stop();
  if (stack.kafka) expect(await portIsOpen(portOf(stack.kafkaBrokers))).toBe(false);
  if (stack.redis) expect(await portIsOpen(portOf(stack.redisUrl))).toBe(false);
});

it('ends what it started when its process is killed', async () => {
  // guard.ts imports nothing of ours, so Node runs it as it is.
  const guard = new URL('../../deploy/local/guard.ts', import.meta.url).href;
  const program = `
    import { spawn } from 'node:child_process';
    import { Guard } from ${JSON.stringify(guard)};
    const guarded = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    new Guard().watch('pid', guarded.pid);
    console.log(guarded.pid);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  expect(alive()).toBe(true);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(alive()).toBe(false), { timeout: 10_000 });
});
