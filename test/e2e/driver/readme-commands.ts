import { readFileSync } from 'node:fs';

const README = new URL('../../../README.md', import.meta.url);

/** Every command of the README's `sh` blocks, in order, without its comment. */
export function readmeCommands(): string[] {
  const text = readFileSync(README, 'utf8');
  return [...text.matchAll(/```sh\n([^`]+)```/g)]
    .flatMap(([, block]) => block!.split('\n'))
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The rollout file that the README shows under a name, e.g. `# rollout.yaml`. */
export function readmeFile(name: string): string {
  const found = [...readFileSync(README, 'utf8').matchAll(/```yaml\n# (\S+)\n([^`]+)```/g)].find(
    ([, title]) => title === name,
  );
  if (!found) throw new Error(`the README shows no ${name}`);
  return found[2]!;
}
