import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAtTerminal } from '../testing/fake-terminal.js';
import { SHELL_SCRIPTS, SHELLS } from './shell-scripts.js';

const models = ['digits', 'fraud', 'fraud-eu'].map((model) => ({ state: { model, decisions: [] }, verdict: null }));
const fetch = async (): Promise<Response> => Response.json({ models });

/** Words before the cursor; the last one is being written. */
async function complete(...words: string[]): Promise<string[]> {
  const { exit, out } = await runAtTerminal(['__complete', '--', ...words], { fetch });
  expect(exit).toBe(0);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]!);
}

describe('completion', () => {
  it('offers commands, and those of a group', async () => {
    expect(await complete('')).toEqual(
      expect.arrayContaining(['apply', 'get', 'doctor', 'labels', 'topics', 'completion']),
    );
    expect(await complete('')).not.toContain('__complete');
    expect(await complete('pro')).toEqual(['promote']);
    expect(await complete('topics', '')).toEqual(['create', 'check']);
  });

  it('offers options, and the values of those that have a list', async () => {
    expect(await complete('get', 'digits', '--')).toEqual(['--output', '--server', '--watch', '--help']);
    expect(await complete('get', '-o', '')).toEqual(['text', 'json', 'yaml']);
    expect(await complete('report', 'digits', '-o', '')).toEqual(['md', 'html', 'json']);
    expect(await complete('status', '--timeout', '')).toEqual([]);
  });

  it('offers the models that the controller has, and nothing where it cannot be asked', async () => {
    expect(await complete('get', 'fr')).toEqual(['fraud', 'fraud-eu']);
    expect(await complete('set-traffic', 'dig')).toEqual(['digits']);
    expect(await complete('set-traffic', 'digits', 'v')).toEqual([]);
    const away = await runAtTerminal(['__complete', '--', 'get', '']);
    expect(away).toEqual({ exit: 0, out: '', err: '' });
  });

  it('leaves paths to the shell', async () => {
    expect(await complete('apply', '-f', '')).toEqual([':files']);
    expect(await complete('labels', 'send', '--file', 'lab')).toEqual([':files']);
  });

  it('is printed for the shells that it knows', async () => {
    for (const shell of SHELLS) expect((await runAtTerminal(['completion', shell])).out).toBe(SHELL_SCRIPTS[shell]);
    expect((await runAtTerminal(['completion', 'tcsh'])).exit).toBe(64);
    expect(JSON.parse((await runAtTerminal(['completion', 'bash', '-o', 'json'])).out)).toMatchObject({
      shell: 'bash',
    });
  });
});

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** A canaryctl on the PATH that asks this process, so that a shell's test needs no build. */
describe('in a real shell', () => {
  let folder: string;
  let answering: Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'completion-'));
    answering = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const { out } = await runAtTerminal(JSON.parse(await text(request)) as string[], { fetch });
        response.end(out);
      };
      void answer();
    });
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
    const { port } = answering.address() as AddressInfo;
    const program = join(folder, 'canaryctl');
    await writeFile(
      program,
      `#!${process.execPath}\nfetch('http://127.0.0.1:${port}', { method: 'POST', body: JSON.stringify(process.argv.slice(2)) })
        .then((r) => r.text()).then((t) => process.stdout.write(t));\n`,
    );
    await chmod(program, 0o755);
    await mkdir(join(folder, 'files'));
    await writeFile(join(folder, 'files', 'rollout.yaml'), '');
  });
  afterAll(async () => {
    await new Promise((resolve) => answering?.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  async function shell(program: string, args: readonly string[], script: string): Promise<string> {
    const child = spawn(program, [...args, script], {
      cwd: join(folder, 'files'),
      env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, HOME: folder, TERM: 'dumb' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return out + err;
  }

  it.runIf(isThere('bash'))('bash completes commands, models and paths', async () => {
    const offers = (...words: string[]): string =>
      `COMP_WORDS=(canaryctl ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _canaryctl; echo "\${COMPREPLY[*]}"`;
    const script = [
      SHELL_SCRIPTS.bash,
      offers('pro'),
      offers('get', 'fr'),
      offers('apply', '-f', 'roll'),
      'complete -p canaryctl',
    ];
    expect(await shell('bash', ['--norc', '-c'], script.join('\n'))).toBe(
      'promote\nfraud fraud-eu\nrollout.yaml\ncomplete -F _canaryctl canaryctl\n',
    );
  });

  it.runIf(isThere('zsh'))('zsh completes commands with their help, and models', async () => {
    // The functions of its completion system, as far as the script calls them, show what they are given.
    const fakes = 'compdef() { : }\n_describe() { print -rl -- "${(@P)2}" }\n_files() { print files }\n';
    const offers = (...words: string[]): string =>
      `words=(canaryctl ${words.join(' ')}); CURRENT=${words.length + 1}; _canaryctl`;
    const script = [fakes + SHELL_SCRIPTS.zsh, offers('promo'), offers('get', 'fr'), offers('apply', '-f', "''")].join(
      '\n',
    );
    expect(await shell('zsh', ['-f', '-c'], script)).toMatch(
      /^promote:go on to the next step.*\nfraud:fraud\nfraud-eu:fraud-eu\nfiles\n$/,
    );
  });

  it.runIf(isThere('fish'))('fish completes commands, models and paths', async () => {
    const offers = (line: string): string => `complete -C '${line}' | string replace -r '\\t.*' ''`;
    const script = [
      SHELL_SCRIPTS.fish,
      offers('canaryctl pro'),
      offers('canaryctl get fr'),
      offers('canaryctl apply -f roll'),
    ];
    expect(await shell('fish', ['--no-config', '-c'], script.join('\n'))).toBe(
      'promote\nfraud\nfraud-eu\nrollout.yaml\n',
    );
  });
});
