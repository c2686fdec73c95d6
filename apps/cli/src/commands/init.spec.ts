import { parseRolloutSpec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal.js';
import { runAtTerminal } from '../testing/fake-terminal.js';

const GIVEN = ['init', '--model', 'digits', '--stable', 'v1=http://a:9001', '--canary', 'v2=http://b:9002'];

interface Written {
  readonly path: string;
  readonly text: string;
  readonly overwrite: boolean;
}

async function init(args: readonly string[], change: Partial<Terminal> = {}) {
  const written: Written[] = [];
  const done = await runAtTerminal(args, {
    writeFile: async (path, text, { overwrite }) => void written.push({ path, text, overwrite }),
    ...change,
  });
  return { ...done, written };
}

describe('canaryctl init', () => {
  it('writes a file with comments from options, which is right as it stands', async () => {
    const { exit, out, written } = await init([...GIVEN, '--pointer', '/class', '--rate', '500']);
    expect(exit).toBe(0);
    expect(written).toMatchObject([{ path: 'rollout.yaml', overwrite: false }]);
    const { text } = written[0]!;
    const parsed = parseRolloutSpec(text);
    expect(parsed).toMatchObject({
      ok: true,
      warnings: [],
      value: {
        model: 'digits',
        canary: { version: 'v2', url: 'http://b:9002' },
        steps: [{ weights: { v2: 0.1 } }, { weights: { v2: 0.5 } }, { weights: { v2: 1 } }],
        checks: { accuracy: { maxDrop: 0.02 }, errorRate: { maxIncrease: 0.01 } },
      },
    });
    expect(text.split('\n').filter((line) => line.includes('#')).length).toBeGreaterThan(8);
    expect(out).toMatch(/rollout.yaml is written.*apply -f rollout.yaml --dry-run\n[\s\S]*at 500 predictions\/s/);
  });

  it('asks at a terminal for what was not given, again after a wrong answer, and proposes what is usual', async () => {
    const answers = ['fraud', 'v1', 'v1=http://a:1', 'v2=https://b:2', '', '20,10', '5,100', ''];
    const asked: string[] = [];
    const { exit, err, written } = await init(['init', '-f', 'fraud.yaml', '--force'], {
      isInteractive: true,
      ask: async (question) => {
        asked.push(question);
        return answers.shift()!;
      },
    });
    expect(exit).toBe(0);
    expect(asked).toHaveLength(8);
    expect(err).toMatch(/write version=url[\s\S]*write rising numbers that end with 100/);
    expect(written).toMatchObject([{ path: 'fraud.yaml', overwrite: true }]);
    const parsed = parseRolloutSpec(written[0]!.text);
    expect(parsed).toMatchObject({ ok: true, value: { model: 'fraud', steps: [{ weights: { v2: 0.05 } }, {}] } });
    expect(parsed.ok && parsed.value.checks.accuracy).toBeUndefined();
  });

  it.each([
    ['without a terminal to ask at', ['init', '--model', 'digits'], /--stable is missing/],
    ['shares that do not rise', [...GIVEN, '--steps', '50,10,100'], /--steps 50,10,100: write rising numbers/],
    ['a version without a URL', [...GIVEN.slice(0, 5), '--canary', 'v2'], /--canary v2: write version=url/],
    [
      'one version twice',
      [...GIVEN.slice(0, 5), '--canary', 'v1=http://b:1'],
      /--canary: v1 is the stable version too/,
    ],
  ])('%s is a mistake of usage, and nothing is written', async (_, args, message) => {
    const { exit, err, written } = await init(args);
    expect([exit, written]).toEqual([64, []]);
    expect(err).toMatch(message);
  });

  it('writes over nothing unless it is told to', async () => {
    const { exit, err } = await init(GIVEN, {
      writeFile: async () => Promise.reject(Object.assign(new Error(), { code: 'EEXIST' })),
    });
    expect(exit).toBe(1);
    expect(err).toContain('rollout.yaml is there already: --force writes over it');
  });

  it('quotes names that YAML would take for something else', async () => {
    const { out } = await init([
      'init',
      '-f',
      '-',
      '--model',
      '007',
      '--stable',
      '1=http://a:1',
      '--canary',
      'on=http://b:2',
    ]);
    expect(parseRolloutSpec(out)).toMatchObject({ ok: true, value: { model: '007', canary: { version: 'on' } } });
  });
});
