import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack } from '../../deploy/local/local-stack.js';
import { Guard } from '../../deploy/local/guard.js';
import { inTurns } from './framework/rounds.js';
import { ratioSpread, spreadOf } from './framework/figures.js';
import { renderSection } from './framework/report.js';
import { OTHERS_CORE, startModelServer, startNginx, startRouter, type Proxy } from './router/contestants.js';
import { runWrk } from './router/wrk.js';
import { publishWeights } from './router-process.js';
import { residentMib } from './process-usage.js';

const guard = new Guard();
const folder = mkdtempSync(join(tmpdir(), 'qr-'));
guard.watch('folder', folder);
const place = { guard, folder };
const stack = await startLocalStack({ redis: false, optimised: true });
const [rounds, seconds, rate] = [
  Number(process.argv[2] ?? 3),
  Number(process.argv[3] ?? 4),
  Number(process.argv[4] ?? 0),
];
try {
  const model = await startModelServer({}, place);
  await publishWeights(stack.kafkaBrokers, `http://127.0.0.1:${model.port}`);
  const proxies: Proxy[] = [
    await startNginx('nginx', 'off', model.port, place),
    await startNginx('nginx json', 'json', model.port, place),

    await startRouter(
      'router',
      { KAFKA_BROKERS: stack.kafkaBrokers, ...(process.env.ROUTER_ENV ? JSON.parse(process.env.ROUTER_ENV) : {}) },
      place,
    ),
  ];
  const samples = await inTurns(proxies, { rounds, warmUps: 1 }, async (p) => {
    const before = p.program.cpuMs();
    const mBefore = model.program.cpuMs();
    const f = await runWrk({
      port: p.port,
      connections: 64,
      seconds,
      bodyBytes: 700,
      perSecond: rate,
      core: OTHERS_CORE,
    });
    const cpuUs = ((p.program.cpuMs() - before) * 1000) / f.requests;
    process.stderr.write(
      `${p.name} ${cpuUs.toFixed(1)} us ${(f.requests / f.seconds).toFixed(0)}/s p50 ${f.p50Us} p99 ${f.p99Us} failed ${f.failed} model ${(((model.program.cpuMs() - mBefore) * 1000) / f.requests).toFixed(1)} rss ${p.program.pids.map((pid) => residentMib(pid).toFixed(0))}\n`,
    );
    return { cpuUs, ...f };
  });
  const peer = samples.get('nginx')!.map((s) => s.cpuUs);
  process.stdout.write(
    renderSection({
      title: 'cpu',
      rows: [...samples].flatMap(([name, s]) => [
        { what: name, unit: 'us', spread: spreadOf(s.map((x) => x.cpuUs)) },
        {
          what: `${name}/nginx`,
          unit: 'x',
          spread: ratioSpread(
            s.map((x) => x.cpuUs),
            peer,
          ),
        },
      ]),
    }) + '\n',
  );
  for (const p of proxies) await p.program.stop();
  await model.program.stop();
} finally {
  await stack.stop();
  await guard.end();
}
