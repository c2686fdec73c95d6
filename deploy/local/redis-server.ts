import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CanaryError } from '@app/shared';
import { installPackage } from './debian.js';
import type { Guard } from './guard.js';
import type { LocalServer, Say } from './local-server.js';
import { freePort } from './ports.js';
import { runTool } from './run-tool.js';
import { ServerProcess } from './server-process.js';

export const REDIS_HELLO = Buffer.from('PING\r\n');
const START_TIMEOUT_MS = 15_000;

const here = async (): Promise<boolean> =>
  (await runTool('redis-server', ['--version'], { timeoutMs: 10_000 })).code === 0;

/** Starts Debian's redis-server without persistence. Throws CanaryError `no-redis`. */
export async function startRedisServer(options: {
  readonly say: Say;
  readonly guard: Guard;
  readonly folder: string;
}): Promise<{ url: string; server: LocalServer }> {
  const { say, guard, folder } = options;
  if (!(await here()) && !((await installPackage(['redis-server'], say)) && (await here()))) {
    throw new CanaryError(
      'no-redis',
      'A local Redis needs redis-server, which is neither here nor could be installed: install it, start Docker, or name a running Redis in REDIS_URL.',
    );
  }
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  const server = new ServerProcess({
    name: 'Redis',
    command: 'redis-server',
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    port,
    hello: REDIS_HELLO,
    logFile: join(folder, 'redis.log'),
    startTimeoutMs: START_TIMEOUT_MS,
    guard,
  });
  await server.start();
  return { url: `redis://127.0.0.1:${port}`, server };
}
