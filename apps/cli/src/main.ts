#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { configuredKafka, createLogger, type Env, KafkaBus, loadConfig, ServiceConfig, systemClock } from '@app/shared';
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
