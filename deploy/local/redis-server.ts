import { mkdir, writeFile } from 'node:fs/promises';
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

/** TLS alone, and users as an ACL file names them. Paths of PEM files. */
export interface SecureRedis {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** Lines of `user NAME ...`. */
  readonly users: readonly string[];
}

export interface RedisServerOptions {
  readonly say: Say;
  readonly guard: Guard;
  readonly folder: string;
  readonly secure?: SecureRedis;
}

/** Starts Debian's redis-server without persistence. Throws CanaryError `no-redis`. */
export async function startRedisServer(options: RedisServerOptions): Promise<{ url: string; server: LocalServer }> {
  const { say, guard, folder, secure } = options;
  if (!(await here()) && !((await installPackage(['redis-server'], say)) && (await here()))) {
    throw new CanaryError(
      'no-redis',
      'A local Redis needs redis-server, which is neither here nor could be installed: install it, start Docker, or name a running Redis in REDIS_URL.',
    );
  }
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  // An answer is waited for on a plain port; behind TLS that is another one.
  const helloPort = secure ? await freePort() : port;
  const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = new ServerProcess({
    name: 'Redis',
    command: 'redis-server',
    args: ['--port', `${helloPort}`, ...common, ...(secure ? await secureArguments(secure, port, folder) : [])],
    port: helloPort,
    hello: REDIS_HELLO,
    logFile: join(folder, 'redis.log'),
    startTimeoutMs: START_TIMEOUT_MS,
    guard,
  });
  await server.start();
  return { url: `${secure ? 'rediss' : 'redis'}://127.0.0.1:${port}`, server };
}

async function secureArguments(secure: SecureRedis, port: number, folder: string): Promise<string[]> {
  const users = join(folder, 'users.acl');
  await writeFile(users, `${secure.users.join('\n')}\n`);
  const { certificate, key, authority } = secure;
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', authority];
  return ['--tls-port', `${port}`, '--tls-auth-clients', 'no', ...files, '--aclfile', users];
}
