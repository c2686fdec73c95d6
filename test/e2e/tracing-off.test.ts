import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const MAIN = new URL('../../dist/apps/standalone/src/main.js', import.meta.url).pathname;
/** Runs before the program: says at its end which packages of OpenTelemetry were asked for. */
const NOTICE = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const seen = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      // Other packages look for its API by themselves; that is theirs.
      if (specifier.startsWith('@opentelemetry/') && !context.parentURL?.includes('/node_modules/')) seen.add(specifier);
      return next(specifier, context);
    },
  });
  process.on('exit', () => process.stdout.write('loaded: ' + [...seen].join(' ') + '\\n'));
`)}`;

async function loadedBy(env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, ['--import', NOTICE, MAIN], {
    env: { ...process.env, ROUTER_PORT: '0', CONTROLLER_PORT: '0', EVALUATOR_PORT: '0', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = text(child.stdout);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  await expect.poll(() => log, { timeout: 60_000 }).toContain('"started"');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  return /loaded: (.*)/.exec(await out)![1]!;
}

test('a service that does not trace has loaded nothing of OpenTelemetry, one that does has', async () => {
  expect(await loadedBy({ TRACES: 'off' })).toBe('');
  // Nobody listens there: spans are thrown away, and the service neither waits nor fails for them.
  const tracing = await loadedBy({ TRACES: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(tracing).toContain('@opentelemetry/sdk-trace');
});
