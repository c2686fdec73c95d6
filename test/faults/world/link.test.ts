import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Link, OPEN } from './link.js';

/** Waits for a condition, generously: what else the machine does must not matter. */
const soon = { timeout: 20_000, interval: 5 };

describe('a link', () => {
  let server: Server;
  let link: Link;
  const far: Socket[] = [];
  const near: Socket[] = [];
  beforeEach(async () => {
    server = createServer((socket) => {
      far.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => socket.write(`echo ${chunk.toString()}`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    link = await Link.to((server.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const socket of [...near.splice(0), ...far.splice(0)]) socket.destroy();
    await link.close();
    await new Promise((resolve) => server.close(resolve));
  });

  /** A client, all that it has heard, and how it ended. */
  function client(): { socket: Socket; heard: () => string; error: () => string | null; isClosed: () => boolean } {
    const socket = connect(link.port, '127.0.0.1');
    near.push(socket);
    let heard = '';
    let error: string | null = null;
    let closed = false;
    socket.on('data', (chunk) => (heard += chunk.toString()));
    socket.on('error', (e: NodeJS.ErrnoException) => (error = e.code ?? e.message));
    socket.on('close', () => (closed = true));
    return { socket, heard: () => heard, error: () => error, isClosed: () => closed };
  }

  it('passes on what is sent, both ways, and an end', async () => {
    const { socket, heard, isClosed } = client();
    socket.write('hello');
    await vi.waitFor(() => expect(heard()).toBe('echo hello'), soon);
    socket.end();
    await vi.waitFor(() => expect(isClosed()).toBe(true), soon);
  });

  it('that is cut resets what there is, and what comes', async () => {
    const before = client();
    before.socket.write('hello');
    await vi.waitFor(() => expect(before.heard()).toBe('echo hello'), soon);
    link.set({ kind: 'cut' });
    await vi.waitFor(() => expect(before.error()).toBe('ECONNRESET'), soon);
    const later = client();
    await vi.waitFor(() => expect(later.isClosed()).toBe(true), soon);
    link.set(OPEN);
    const again = client();
    again.socket.write('back');
    await vi.waitFor(() => expect(again.heard()).toBe('echo back'), soon);
  });

  it('that is stalled passes nothing on, and everything in order when it is open again', async () => {
    const { socket, heard } = client();
    socket.write('a');
    await vi.waitFor(() => expect(heard()).toBe('echo a'), soon);
    link.set({ kind: 'stalled' });
    socket.write('b');
    socket.write('c');
    const other = client();
    other.socket.write('d');
    // Longer than it takes when nothing is stalled; what is passed on too early would be heard by then.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([heard(), other.heard()]).toEqual(['echo a', '']);
    link.set(OPEN);
    await vi.waitFor(() => expect(heard()).toMatch(/^echo aecho b(echo )?c$/), soon);
    await vi.waitFor(() => expect(other.heard()).toBe('echo d'), soon);
  });

  it('that is slow is late by at least its delay, both ways', async () => {
    link.set({ kind: 'delayed', delayMs: 60 });
    const { socket, heard } = client();
    const sentMs = performance.now();
    socket.write('hello');
    await vi.waitFor(() => expect(heard()).toBe('echo hello'), soon);
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(119);
  });

  it('that is half-open swallows what is sent and tells nobody, for good; a new connection works again', async () => {
    const { socket, heard, isClosed } = client();
    socket.write('a');
    await vi.waitFor(() => expect(heard()).toBe('echo a'), soon);
    link.set({ kind: 'half-open' });
    await vi.waitFor(() => expect(far[0]!.destroyed || far[0]!.readableEnded).toBe(true), soon);
    socket.write('b');
    link.set(OPEN);
    socket.write('c');
    const again = client();
    again.socket.write('d');
    await vi.waitFor(() => expect(again.heard()).toBe('echo d'), soon);
    expect([heard(), isClosed()]).toEqual(['echo a', false]);
  });
});
