#!/usr/bin/env node
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { configuredKafka, createLogger, type Env, KafkaBus, loadConfig, ServiceConfig, systemClock } from '@app/shared';
import { CliError } from './cli-error.js';
import { dial } from './doctor/dial.js';
import { askRedis } from './doctor/redis-facts.js';
import { rehearsalLines } from './rehearsal-process.js';
import { replayLines } from './replay-process.js';
import { runCli } from './run-cli.js';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
// A reader that has seen enough (`| head`) is no reason for a stack trace.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  clock: systemClock,
  fetch,
  signal: interrupted.signal,
  stdout: process.stdout,
  stderr: process.stderr,
  isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  nodeVersion: process.versions.node,
  ask,
  writeFile: (path, content, { overwrite }) => writeFile(path, content, { flag: overwrite ? 'w' : 'wx' }),
  dial,
  redisFacts: askRedis,
  readFile: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  sleep: (ms) => setTimeout(ms, undefined, { signal: interrupted.signal }).catch(() => undefined),
  replay: (args) => replayLines(args, { env: process.env, signal: interrupted.signal }),
  rehearse: (request) => rehearsalLines(request, interrupted.signal),
  connectBus: () => connectBus(process.env),
});

function connectBus(env: Env): KafkaBus {
  const config = loadConfig(ServiceConfig, env);
  const logger = createLogger('canaryctl', 'warn');
  return new KafkaBus(configuredKafka(config, logger, 'canaryctl'));
}

/** On standard error: what a command prints may go into a file. */
async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // At a terminal Ctrl-C comes to whoever reads from it.
  reader.once('SIGINT', () => interrupted.abort());
  try {
    return await reader.question(question, { signal: interrupted.signal });
  } catch (error) {
    if (interrupted.signal.aborted) throw new CliError('interrupted', 'interrupted', { exit: 130 });
    throw error;
  } finally {
    reader.close();
  }
}
