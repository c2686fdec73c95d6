import { readFileSync } from 'node:fs';
const rss = () => (Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024).toFixed(1);
const t0 = performance.now();
for (const m of process.argv.slice(2)) await import(m);
const t1 = performance.now();
const r1 = rss();
const anon = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] / 1024,
  file = /RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] / 1024;
const heap = process.memoryUsage();
globalThis.gc?.();
await new Promise((r) => setTimeout(r, 200));
console.log(
  process.argv.slice(2).join(' ').slice(0, 150),
  '| rss',
  r1,
  'anon',
  anon.toFixed(0),
  'file',
  file.toFixed(0),
  'heapUsed',
  (heap.heapUsed / 1048576).toFixed(0),
  'after gc rss',
  rss(),
  'heap',
  (process.memoryUsage().heapUsed / 1048576).toFixed(1),
  'ms',
  (t1 - t0).toFixed(0),
);
