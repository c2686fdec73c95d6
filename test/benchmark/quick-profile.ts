import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack } from '../../deploy/local/local-stack.js';
import { Guard } from '../../deploy/local/guard.js';
import { startModelServer, startRouterOn } from './router/contestants.js';
import { runWrk } from './router/wrk.js';
import { publishWeights } from './router-process.js';
import { residentMib } from './process-usage.js';

const guard = new Guard();
const folder = mkdtempSync(join(tmpdir(), 'qr-'));
guard.watch('folder', folder);
const place = { guard, folder };
const stack = await startLocalStack({ redis: false, optimised: true });
const [seconds, rate] = [Number(process.argv[2] ?? 10), Number(process.argv[3] ?? 0)];
try {
  const model = await startModelServer({}, place);
  await publishWeights(stack.kafkaBrokers, `http://127.0.0.1:${model.port}`);
  const env = process.env.ROUTER_ENV ? (JSON.parse(process.env.ROUTER_ENV) as Record<string, string>) : {};
  const router = await startRouterOn(undefined, 'router', { KAFKA_BROKERS: stack.kafkaBrokers, ...env }, place);
  process.stderr.write(`rss at start ${residentMib(router.program.pid).toFixed(0)}\n`);
  for (let i = 0; i < 3; i++) {
    const before = router.program.cpuMs();
    const f = await runWrk({
      port: router.port,
      connections: 64,
      seconds: seconds / 3,
      bodyBytes: 700,
      perSecond: rate,
    });
    const cpuUs = ((router.program.cpuMs() - before) * 1000) / f.requests;
    process.stderr.write(
      `${cpuUs.toFixed(1)} us ${(f.requests / f.seconds).toFixed(0)}/s p50 ${f.p50Us} failed ${f.failed} rss ${router.program.pids.map((pid) => residentMib(pid).toFixed(0)).join()}\n`,
    );
  }
  const text = await (await fetch(`http://127.0.0.1:${router.port}/metrics`)).text();
  process.stderr.write(
    text
      .split('\n')
      .filter((l) => /heap_bytes|heap_size|external|resident/.test(l) && !l.startsWith('#'))
      .map((l) => l.replace(/(\d+)$/, (n) => (Number(n) / 1048576).toFixed(1)))
      .join('\n') + '\n',
  );
  process.stderr.write(`exit ${await router.program.stop()}\n`);
  await model.program.stop();
} finally {
  await stack.stop();
  await guard.end();
}
