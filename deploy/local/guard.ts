import { Socket } from 'node:net';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

/**
 * Runs beside us and outlives us by a moment: when our end of its pipe closes, for whatever reason (kill -9 too), it
 * ends the servers we started and removes their data. It leads a process group of its own, so that Ctrl-C in a
 * terminal does not reach it, nor the servers, before the services were closed in order.
 */
const GUARD = `
  const pids = new Set(), folders = new Set(), containers = new Set(), mounts = new Set();
  const kinds = { pid: pids, folder: folders, container: containers, mount: mounts };
  require('node:readline').createInterface({ input: process.stdin })
    .on('line', (line) => { const { add, kind, value } = JSON.parse(line); kinds[kind][add ? 'add' : 'delete'](value); })
    .on('close', () => {
      for (const pid of pids) try { process.kill(pid, 'SIGKILL'); } catch {}
      for (const name of containers) require('node:child_process').spawnSync('docker', ['rm', '-f', '-v', name]);
      for (const path of mounts) require('node:child_process').spawnSync('umount', ['-l', path]);
      for (const folder of folders) require('node:fs').rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });
`;

type Kind = 'pid' | 'folder' | 'container' | 'mount';

/** What is to be gone when this process is. */
export class Guard {
  private readonly child: ChildProcessWithoutNullStreams;

  constructor() {
    this.child = spawn(process.execPath, ['-e', GUARD], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    // A guard that died can guard nothing; the servers are ended by stop() all the same.
    this.child.stdin.on('error', () => undefined);
    this.child.on('error', () => undefined);
    this.child.unref();
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) unref(stream);
  }

  watch(kind: Kind, value: number | string): void {
    this.child.stdin.write(`${JSON.stringify({ add: true, kind, value })}\n`);
  }

  forget(kind: Kind, value: number | string): void {
    this.child.stdin.write(`${JSON.stringify({ add: false, kind, value })}\n`);
  }

  /** Lets it do its work now; resolves when it has. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.ref();
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin.end();
    await ended;
  }
}

/** The pipes to a child are sockets, though not typed so; they must not keep the process from ending. */
function unref(stream: object): void {
  if (stream instanceof Socket) stream.unref();
}
