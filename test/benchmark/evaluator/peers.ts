import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../../deploy/local/kafka-artifacts.js';
import type { Say } from '../../../deploy/local/local-server.js';
import { runTool } from '../../../deploy/local/run-tool.js';
import type { Contestant, Track } from './contestant.js';
import { CountingProcess } from './counting-process.js';

const MAVEN_TIMEOUT_MS = 300_000;
const JAVAC_TIMEOUT_MS = 60_000;
const JARS = 'kafka-streams-4.2.0';
/** The sources are beside this file in the repository, not beside what is made of it. */
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const SOURCES = join(ROOT, 'test', 'benchmark', 'evaluator', 'streams');

const groupOf = (track: Track): string => `${track.topicPrefix}peer-${randomBytes(4).toString('hex')}`;

/** kafkajs, and nothing of ours. */
export const kafkajsPeer = (name: string, mode: 'count' | 'fold'): Contestant => ({
  name,
  start: (track) => {
    const program = join(import.meta.dirname, 'kafkajs-peer.js');
    const args = [program, mode, track.brokers, track.topic, groupOf(track)];
    return Promise.resolve(CountingProcess.start(process.execPath, args, track.guard));
  },
});

/** Kafka Streams, exactly once. `classPath` as streamsClassPath() gives it. */
export const streamsPeer = (name: string, mode: 'dsl' | 'processor', classPath: string): Contestant => ({
  name,
  start: async (track) => {
    const state = await mkdtemp(join(track.folder, 'streams-'));
    const args = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', classPath];
    const own = ['StreamsPeer', mode, track.brokers, track.topic, groupOf(track), state];
    return CountingProcess.start('java', [...args, ...own], track.guard);
  },
});

/** Kafka Streams from Maven (fetched once) and our peer, compiled. A sentence why it cannot be had otherwise. */
export async function streamsClassPath(
  folder: string,
  say: Say,
): Promise<{ readonly classPath: string } | { readonly missing: string }> {
  if ((await runTool('javac', ['-version'], { timeoutMs: 20_000 })).code !== 0)
    return { missing: 'Kafka Streams is left out: there is no javac here.' };
  const jars = join(cacheFolder(), JARS);
  if (!existsSync(jars)) {
    say('Fetching Kafka Streams with Maven (90 MB, once) ...');
    const failed = await fetchJars(jars);
    if (failed !== null) return { missing: `Kafka Streams is left out: Maven could not fetch it (${failed}).` };
  }
  const classes = join(folder, 'classes');
  await mkdir(classes, { recursive: true });
  const compile = ['-d', classes, '-cp', join(jars, '*'), join(SOURCES, 'StreamsPeer.java')];
  const { code, output } = await runTool('javac', compile, { timeoutMs: JAVAC_TIMEOUT_MS });
  if (code !== 0) throw new Error(`StreamsPeer.java cannot be compiled: ${output.trim()}`);
  return { classPath: `${classes}:${join(jars, '*')}` };
}

/** Null, or why not. */
async function fetchJars(jars: string): Promise<string | null> {
  await mkdir(cacheFolder(), { recursive: true });
  const work = await mkdtemp(join(cacheFolder(), 'fetching-'));
  try {
    await copyFile(join(SOURCES, 'pom.xml'), join(work, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    const { code, output } = await runTool('mvn', ['-q', '-B', ...goal], { timeoutMs: MAVEN_TIMEOUT_MS, cwd: work });
    if (code !== 0) return /\[ERROR\] (.*)/.exec(output)?.[1] ?? output.trim().slice(-200);
    // Whole or not at all: another run may look for it at this moment.
    await rename(join(work, 'lib'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error;
    });
    return null;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
