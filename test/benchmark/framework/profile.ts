import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LINES = 30;
/** Start and first compilations. */
const SKIPPED_SHARE = 0.3;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Flags for a Node that writes a profile into a folder when it ends. */
export const profileFlags = (folder: string): readonly string[] => [
  '--cpu-prof',
  '--cpu-prof-interval=500',
  `--cpu-prof-dir=${folder}`,
];

/** The functions that took most in the profile of a folder, by their own share of the time that was not idle. */
export function renderProfile(folder: string): readonly string[] {
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('no profile was written');
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const skippedUs = SKIPPED_SHARE * timeDeltas.reduce((sum, us) => sum + us, 0);
  const own = new Map<string, number>();
  let [passedUs, busyUs] = [0, 0];
  for (const [i, us] of timeDeltas.entries()) {
    passedUs += us;
    const { functionName, url, lineNumber } = frames.get(samples[i]!)!;
    if (passedUs < skippedUs || functionName === '(idle)') continue;
    busyUs += us;
    const place = url === '' ? '' : `${url.replace(/^.*?(dist|node_modules)\//, '')}:${lineNumber + 1}`;
    const name = `${functionName || '(anonymous)'}  ${place}`;
    own.set(name, (own.get(name) ?? 0) + us);
  }
  const lines = [...own].sort(([, a], [, b]) => b - a).slice(0, LINES);
  return lines.map(([name, us]) => `${((100 * us) / busyUs).toFixed(1).padStart(5)} %  ${name}`);
}
