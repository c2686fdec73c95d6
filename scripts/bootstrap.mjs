#!/usr/bin/env node
/**
 * The first thing that runs in a fresh clone, so: plain JavaScript, Node's own modules only, any Node from 20 on.
 * Installs the dependencies when they are missing or older than package-lock.json, finds Node 24 (it comes with the
 * dependencies) and hands over to tasks.mjs under it. Everything it says goes to standard error.
 *
 *   node scripts/bootstrap.mjs demo | test | test-console | test-helm | check | build | generate | pack-cli | start <app> | bench  [arguments]
 */
import { installDependencies } from './tasks/install.mjs';
import { findNode24, nodeMajor } from './tasks/node-24.mjs';
import { runAndExit } from './tasks/processes.mjs';
import { say } from './tasks/say.mjs';

const NODE_MAJOR_MIN = 20;

if (nodeMajor(process.version) < NODE_MAJOR_MIN) {
  say(`Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.version}.`);
  process.exit(1);
}
await installDependencies();

const args = process.argv.slice(2);
const tasks = new URL('./tasks.mjs', import.meta.url);
if (nodeMajor(process.version) >= 24) {
  const { runTask } = await import(tasks.href);
  await runTask(args);
} else {
  await runAndExit(findNode24(), [tasks.pathname, ...args]);
}
