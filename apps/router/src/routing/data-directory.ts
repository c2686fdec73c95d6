import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Logger, type RolloutState, rolloutStateCodec } from '@app/shared/core';
import { DirectoryLock } from './directory-lock.js';

const STATE_SUFFIX = '.state';
const PARTITIONS_FILE = 'outcome-partitions';

/**
 * What a router must know to serve without Kafka, on disk: the last state of each model (a file each) and the number of
 * outcome partitions. Each file begins with the SHA-256 of the rest and is replaced as a whole; one that is damaged is
 * noticed and not used.
 */
export class DataDirectory {
  private readonly weightsDir: string;
  private readonly lock: DirectoryLock;
  private readonly waiting = new Map<string, string | null>();
  private writing: Promise<void> | null = null;

  /** Throws CanaryError `data-dir-unusable` or `data-dir-in-use`. */
  constructor(
    readonly path: string,
    private readonly logger: Logger,
  ) {
    this.lock = DirectoryLock.take(path);
    this.weightsDir = join(path, 'weights');
    mkdirSync(this.weightsDir, { recursive: true });
  }

  /** The last states known, of all models whose file is sound. */
  readStates(): readonly RolloutState[] {
    const states: RolloutState[] = [];
    for (const name of readdirSync(this.weightsDir).filter((file) => file.endsWith(STATE_SUFFIX))) {
      const content = this.read(join('weights', name));
      if (content === null) continue;
      const state = rolloutStateCodec.decode(Buffer.from(content));
      if (state.ok) states.push(state.value);
      else this.logger.warn({ file: name, problems: state.problems }, 'weights on disk are not readable: not used');
    }
    return states;
  }

  /** Keeps a model's state in the background: the newest of a model wins, and no caller waits. */
  keepState(state: RolloutState): void {
    // Histories are of no use without Kafka, and long.
    this.later(stateFile(state.model), JSON.stringify({ ...state, decisions: [], commands: [] }));
  }

  forgetState(model: string): void {
    this.later(stateFile(model), null);
  }

  readPartitions(): number | null {
    const partitions = Number(this.read(PARTITIONS_FILE) ?? NaN);
    return Number.isInteger(partitions) && partitions > 0 ? partitions : null;
  }

  keepPartitions(partitions: number): void {
    this.later(PARTITIONS_FILE, String(partitions));
  }

  /** Resolves when everything is on disk. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing;
  }

  /** Flushes and lets another router have the directory. */
  async close(): Promise<void> {
    await this.flush();
    this.lock.release();
  }

  private read(name: string): string | null {
    let text: string;
    try {
      text = readFileSync(join(this.path, name), 'utf8');
    } catch {
      return null; // not there yet
    }
    const [checksum, content] = [text.slice(0, 64), text.slice(65)];
    if (checksum === hash('sha256', content)) return content;
    this.logger.warn({ file: name }, 'a file in the data directory is damaged: not used');
    return null;
  }

  private later(name: string, content: string | null): void {
    this.waiting.set(name, content);
    this.writing ??= this.writeWaiting().finally(() => (this.writing = null));
  }

  private async writeWaiting(): Promise<void> {
    for (let next = this.takeWaiting(); next; next = this.takeWaiting()) {
      const [name, content] = next;
      try {
        await (content === null ? unlink(join(this.path, name)) : this.replace(name, content));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' && content === null) continue;
        this.logger.warn({ err: error, file: name }, 'the data directory cannot be written: a restart may be stale');
      }
    }
  }

  private takeWaiting(): [string, string | null] | null {
    for (const entry of this.waiting) {
      this.waiting.delete(entry[0]);
      return entry;
    }
    return null;
  }

  private async replace(name: string, content: string): Promise<void> {
    const path = join(this.path, name);
    const file = await open(`${path}.new`, 'w');
    try {
      await file.writeFile(`${hash('sha256', content)}\n${content}`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncDirectory(dirname(path));
  }
}

/** Without this a crash of the machine may bring back the file that was replaced, and with it an older generation. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function stateFile(model: string): string {
  return join('weights', `${hash('sha256', model).slice(0, 32)}${STATE_SUFFIX}`);
}
