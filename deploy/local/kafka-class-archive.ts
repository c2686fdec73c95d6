import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guard } from './guard.js';
import { cacheFolder, KAFKA_VERSION } from './kafka-artifacts.js';
import type { Say } from './local-server.js';
import { runTool } from './run-tool.js';
import type { ServerProcess } from './server-process.js';

const EXIT_MS_MAX = 60_000;
const POLL_MS = 50;

export interface ArchiveParts {
  readonly java: string;
  readonly say: Say;
  readonly guard: Guard;
  /** Formats and makes a node with further flags of the JVM; it is not started. */
  readonly makeNode: (folder: string, flags: readonly string[]) => Promise<ServerProcess>;
}

/**
 * Flags that let the JVM take Kafka's classes from an archive of this machine, which takes two of five seconds of
 * processor time off every start. The archive is written once, by a node that is started and ended for it; where that
 * fails there are no flags, and starts take as long as they take.
 */
export async function classArchiveFlags(parts: ArchiveParts): Promise<readonly string[]> {
  const { output } = await runTool(parts.java, ['-version'], { timeoutMs: 20_000 });
  const runtime = createHash('sha256').update(output).digest('hex').slice(0, 12);
  const archive = join(cacheFolder(), `kafka-${KAFKA_VERSION}-${runtime}.jsa`);
  const made = existsSync(archive) || (await makeArchive(archive, parts).catch(() => false));
  return made ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

async function makeArchive(archive: string, { say, guard, makeNode }: ArchiveParts): Promise<boolean> {
  say('Preparing Kafka for quick starts (once) ...');
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), 'archiving-'));
  guard.watch('folder', folder);
  try {
    const written = join(folder, 'kafka.jsa');
    const node = await makeNode(join(folder, 'node'), [`-XX:ArchiveClassesAtExit=${written}`]);
    await node.start();
    await node.signal('SIGTERM');
    const untilMs = performance.now() + EXIT_MS_MAX;
    while (node.pid !== undefined && performance.now() < untilMs) await delay(POLL_MS);
    await node.stop();
    // Whole or not at all: another run may look for it at this moment.
    await rename(written, archive);
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
    guard.forget('folder', folder);
  }
}
