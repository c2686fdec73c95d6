import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';

/** What `--json` prints, as far as it matters here. */
interface Report {
  readonly short: boolean;
  readonly sections: readonly {
    readonly title: string;
    readonly rows: readonly { readonly what: string; readonly median: number | null }[];
    readonly notes?: readonly string[];
    readonly wrong?: string;
  }[];
}

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

const BOOTSTRAP = fileURLToPath(new URL('../../scripts/bootstrap.mjs', import.meta.url));
const GONE_MS_MAX = 30_000;
const SUITES = ['Router', 'Producer', 'Evaluator', 'Verdict engine', 'Decisions'];
/** The rows that need nothing but the project, whatever peers are installed. */
const OURS = [
  ['the bus / kafkajs', 'Producer'],
  ['evaluator, exactly once', 'Evaluator'],
  ['evaluator / kafkajs + JSON.parse + Map', 'Evaluator'],
  ['two evaluators', 'Evaluator'],
  ['fresh labels', 'Evaluator'],
  ['judged', 'Verdict engine'],
  ['to weight 0 at every router', 'Decisions'],
] as const;

/** `npm run bench -- ...`; `onError` hears what it says while it runs. */
function bench(args: readonly string[], onError?: (text: string, child: ChildProcess) => void): Promise<Run> {
  const child = spawn(process.execPath, [BOOTSTRAP, 'bench', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    errors += text;
    onError?.(errors, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}

it('every benchmark runs, and what the services did is right', async () => {
  const { code, output } = await bench(['--short', '--json']);
  const { short, sections } = JSON.parse(output) as Report;
  expect(short).toBe(true);
  expect(sections.flatMap(({ title, wrong }) => (wrong === undefined ? [] : [`${title}: ${wrong}`]))).toEqual([]);
  expect(code).toBe(0);
  for (const suite of SUITES) expect(sections.map(({ title }) => title)).toContainEqual(expect.stringContaining(suite));
  const rows = sections.flatMap(({ title, rows }) => rows.map((row) => ({ title, ...row })));
  for (const [what, suite] of OURS) {
    const found = rows.filter((row) => row.title.startsWith(suite) && row.what.includes(what));
    expect(found, what).not.toEqual([]);
    // Any number: one second on a busy machine may cost less than the floor that is taken off. What was not measured is null.
    for (const row of found) expect(row.median, row.what).toEqual(expect.any(Number));
  }
});

it('what is not measured is a peer that is missing, and a line says so', async () => {
  const { code, output } = await bench(['verdicts', '--short', '--json']);
  const { sections } = JSON.parse(output) as Report;
  expect(code).toBe(0);
  expect(sections.flatMap(({ rows }) => rows.filter(({ median }) => median === null))).toEqual([]);
});

it('a suite or a benchmark that does not exist is named, before anything starts', async () => {
  const unknown = await bench(['rooter']);
  expect(unknown.code).toBe(1);
  expect(unknown.errors).toContain('router');
  const nothing = await bench(['verdicts', '--only', 'nothing']);
  expect(nothing.code).toBe(1);
  expect(nothing.errors).toContain('--only');
});

it('Ctrl-C ends it and everything it has started', async () => {
  let started: readonly number[] = [];
  const { code, errors } = await bench(['evaluator', '--short'], (said, child) => {
    if (started.length > 0 || !said.includes('writing')) return;
    started = descendantsOf(child.pid!);
    child.kill('SIGINT');
  });
  expect(code).toBe(130);
  expect(errors).toContain('Interrupted');
  expect(started).not.toEqual([]);
  await vi.waitFor(() => expect(started.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]), GONE_MS_MAX);
});

/** Processes that a process has started, and those that they have. */
function descendantsOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}
