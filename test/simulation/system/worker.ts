import { parentPort } from 'node:worker_threads';
import { installModuleHooks, registerMutant, type SourceChange } from './machine/module-hooks.js';
import { installGlobals } from './machine/virtual-globals.js';
import type { Plan } from './plan/plan.js';
import type { RunResult } from './run.js';

/** A plan to run, in a world whose services may have been changed. */
export interface Task {
  readonly plan: Plan;
  readonly print: boolean;
  readonly mutant?: { readonly name: string; readonly changes: readonly SourceChange[] };
}

export interface TaskResult {
  readonly result: RunResult;
  /** The history, if it was wanted. */
  readonly lines: readonly string[];
}

type Run = typeof import('./run.js').run;

// Before any module of the services is loaded.
installModuleHooks();
installGlobals();
const worlds = new Map<string, Promise<Run>>();

function worldOf({ mutant }: Task): Promise<Run> {
  const name = mutant?.name ?? '';
  let world = worlds.get(name);
  if (!world) {
    const query = mutant ? registerMutant(name, mutant.changes) : '';
    world = (import(`./run.js${query}`) as Promise<{ run: Run }>).then(({ run }) => run);
    worlds.set(name, world);
  }
  return world;
}

async function perform(task: Task): Promise<TaskResult> {
  const run = await worldOf(task);
  const lines: string[] = [];
  const result = await run(task.plan, task.print ? { print: (line) => lines.push(line) } : {});
  return { result, lines };
}

parentPort?.on('message', (task: Task) => {
  perform(task).then(
    (done) => parentPort!.postMessage(done),
    (error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
  );
});
