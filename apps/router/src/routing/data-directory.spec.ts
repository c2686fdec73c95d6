import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@app/shared/core';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rolloutState } from '../testing/rollout-state.js';
import { DataDirectory } from './data-directory.js';

let path: string;
const open = (logger: Logger = silentLogger): DataDirectory => new DataDirectory(path, logger);
/** A logger, and the messages it was given. */
function listening(): [Logger, string[]] {
  const said: string[] = [];
  const write = (line: string): void => void said.push((JSON.parse(line) as { msg: string }).msg);
  return [pino({ level: 'warn' }, { write }), said];
}
const files = (): string[] => readdirSync(join(path, 'weights')).map((name) => join(path, 'weights', name));
const urls = { v1: 'http://127.0.0.1:1' };
const checked = (content: string): string => `${hash('sha256', content)}\n${content}`;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'router-data-'));
});
afterEach(() => rmSync(path, { recursive: true }));

describe('the data directory', () => {
  it('gives back the newest state of each model, without its history', async () => {
    const directory = open();
    for (const generation of [1, 2, 3]) directory.keepState(rolloutState({ model: 'a', generation, urls }));
    directory.keepState(rolloutState({ model: 'models/b', urls }));
    directory.keepState(rolloutState({ model: 'c', urls }));
    directory.forgetState('c');
    directory.keepPartitions(12);
    await directory.close();
    const again = open();
    expect(again.readStates().map((s) => [s.model, s.generation])).toEqual(
      expect.arrayContaining([
        ['a', 3],
        ['models/b', 1],
      ]),
    );
    expect(again.readStates()).toHaveLength(2);
    expect(again.readPartitions()).toBe(12);
  });

  it.each([
    ['a flipped bit', (content: string) => content.replace('"v1"', '"v2"')],
    ['a lost end', (content: string) => content.slice(0, -20)],
    ['nothing in it', () => ''],
    ['rubbish in it', () => 'x'.repeat(500)],
    ['only its checksum', (content: string) => content.slice(0, 65)],
    ['a state in it that is none', () => checked('{"model":"a"}')],
  ])('notices a file with %s, says so and does not use it', async (_what, damage) => {
    const directory = open();
    directory.keepState(rolloutState({ model: 'a', urls }));
    directory.keepState(rolloutState({ model: 'b', urls }));
    await directory.close();
    const file = files().find((name) => readFileSync(name, 'utf8').includes('"model":"a"'))!;
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    const [logger, said] = listening();
    const models = open(logger)
      .readStates()
      .map((s) => s.model);
    expect(models).toEqual(['b']);
    expect(said).toEqual([expect.stringContaining('not used')]);
  });

  it('knows nothing when it is new', () => {
    expect([open().readStates(), open().readPartitions()]).toEqual([[], null]);
  });

  it.runIf(existsSync('/proc/self/stat'))('belongs to one living router at a time', async () => {
    const parent = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    const startedAt = parent.slice(parent.lastIndexOf(')') + 2).split(' ')[19];
    writeFileSync(join(path, 'lock'), `${process.ppid} ${startedAt}`);
    expect(open).toThrow(/in use by the router with process id/);
    writeFileSync(join(path, 'lock'), `${process.ppid} 1`);
    expect(open, 'a process id used anew').not.toThrow();
    writeFileSync(join(path, 'lock'), '999999999 1');
    expect(open, 'a process that is gone').not.toThrow();
    await open().close();
    expect(readdirSync(path)).not.toContain('lock');
  });

  it('says why it cannot be used', () => {
    writeFileSync(join(path, 'file'), '');
    expect(() => new DataDirectory(join(path, 'file', 'x'), silentLogger)).toThrow(/ROUTER_DATA_DIR cannot be used/);
  });
});
