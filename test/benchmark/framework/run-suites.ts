import { type BenchContext, say } from './context.js';
import { machineInWords } from './machine.js';
import { asJson, renderSection, type Section, summaryOf } from './report.js';
import type { Suite } from './suite.js';

/**
 * Runs suites one after the other and prints their tables as they come, or all as JSON at the end. One that cannot be
 * run counts as wrong; the others run all the same. Returns whether everything ran and came out right.
 */
export async function runSuites(suites: readonly Suite[], context: BenchContext): Promise<boolean> {
  const { json, short } = context.options;
  const beganAtMs = performance.now();
  const sections: Section[] = [];
  const shown = (section: Section): void => {
    sections.push(section);
    if (!json) process.stdout.write(`${renderSection(section)}\n\n`);
  };
  if (!json) process.stdout.write(`${machineInWords()}\n\n`);
  for (const suite of suites) for await (const section of sectionsOf(suite, context, beganAtMs)) shown(section);
  if (sections.length === 0) throw new Error('--only names no benchmark of these suites');
  const seconds = Math.round((performance.now() - beganAtMs) / 1000);
  const summary = `${summaryOf(sections)}; ${seconds} s${short ? '; short: the times mean nothing' : ''}`;
  const report = { machine: machineInWords(), short, seconds, summary, sections: sections.map(asJson) };
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : summary}\n`);
  return sections.every(({ wrong }) => wrong === undefined);
}

async function* sectionsOf(suite: Suite, context: BenchContext, beganAtMs: number): AsyncGenerator<Section> {
  const { only } = context.options;
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
  try {
    for (const { name, run } of await suite.open(context)) {
      if (!wanted(name)) continue;
      say(`[${((performance.now() - beganAtMs) / 1000).toFixed(0)} s] ${suite.name}: ${name} ...`);
      yield await run().catch((error: unknown) => failed(`${suite.name}: ${name}`, error));
    }
  } catch (error) {
    yield failed(suite.name, error);
  }
}

const failed = (title: string, error: unknown): Section => ({
  title,
  rows: [],
  wrong: error instanceof Error ? error.message : String(error),
});
