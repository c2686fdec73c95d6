import fs from 'node:fs';
import { type ModuleSource, registerHooks } from 'node:module';

import { hashText } from './random.js';

/** A change of a service's source: a fault that somebody might make. */
export interface SourceChange {
  /** End of the file's path, without the extension. */
  readonly file: string;
  readonly find: string | RegExp;
  readonly replace: string;
}

const BUILT = new URL('../../../../', import.meta.url).href;
const SERVICES = [`${BUILT}apps/`, `${BUILT}libs/`];
/** Parts of the simulation that hold services: loaded once for each changed world. */
const WORLD = `${BUILT}test/simulation/system/`;
const MACHINE = `${WORLD}machine/`;

const replaced = (name: string): string => new URL(`./modules/${name}.js`, import.meta.url).href;

/** Node's own modules, as the services get them. */
const REPLACED: Readonly<Record<string, string>> = {
  'node:timers/promises': replaced('timers-promises'),
  'node:crypto': replaced('crypto'),
  'node:zlib': replaced('zlib'),
  'node:fs': 'simulated:fs',
  'node:fs/promises': 'simulated:fs/promises',
};

const SIMULATED: Readonly<Record<string, string>> = {
  'simulated:fs': passOn(Object.keys(fs), 'callFs'),
  'simulated:fs/promises': passOn(Object.keys(fs.promises), 'callFsPromises'),
};

function passOn(names: readonly string[], to: string): string {
  const functions = names.filter((name) => /^[a-z]\w*$/.test(name) && name !== 'constants' && name !== 'promises');
  return [
    `import { ${to}, promisedTransfer } from ${JSON.stringify(replaced('files'))};`,
    ...functions.map((name) => `export const ${name} = (...args) => ${to}(${JSON.stringify(name)}, args);`),
    `export { constants } from ${JSON.stringify(replaced('files'))};`,
    ...(functions.includes('readSync') ? ['read', 'write'].map(promised) : []),
  ].join('\n');
}

/** What promisify() finds of a function whose callback gets two values. */
function promised(name: string): string {
  const custom = `${name}[Symbol.for('nodejs.util.promisify.custom')]`;
  return `${custom} = (...args) => promisedTransfer(${JSON.stringify(name)}, args);`;
}

const mutants = new Map<string, readonly SourceChange[]>();

/**
 * From here on modules of the services get simulated ones in place of those that reach the machine. A world that is
 * imported with `?mutant=<name>` is a copy of its own, with the changes of that name.
 */
export function installModuleHooks(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const parent = context.parentURL ?? '';
      const url = isSimulated(parent) ? REPLACED[specifier] : undefined;
      if (url) return { url, format: 'module', shortCircuit: true };
      const found = next(specifier, context);
      const mutant = new URL(parent || 'file:///').search;
      return isSimulated(found.url) && mutant.startsWith('?mutant=') ? { ...found, url: found.url + mutant } : found;
    },
    load(url, context, next) {
      const simulated = SIMULATED[url];
      if (simulated) return { format: 'module', source: simulated, shortCircuit: true };
      const [file, mutant] = url.split('?mutant=');
      const changes =
        mutant === undefined ? [] : (mutants.get(mutant) ?? []).filter((c) => file!.endsWith(`${c.file}.js`));
      const loaded = next(url, context);
      if (changes.length === 0) return loaded;
      return { ...loaded, source: changes.reduce(applyChange, textOf(loaded.source)) };
    },
  });
}

/** Makes changes known under a name; returns what to put behind a module's URL. */
export function registerMutant(name: string, changes: readonly SourceChange[]): string {
  const id = hashText(name).toString(16);
  mutants.set(id, changes);
  return `?mutant=${id}`;
}

/** Runs in simulated processes, or beside them; the machine itself does not. */
const isSimulated = (url: string): boolean =>
  !url.startsWith(MACHINE) && [...SERVICES, WORLD].some((folder) => url.startsWith(folder));

const textOf = (source: ModuleSource | undefined): string =>
  typeof source === 'string' ? source : Buffer.from((source ?? '') as Uint8Array).toString('utf8');

function applyChange(source: string, { file, find, replace }: SourceChange): string {
  const found =
    typeof find === 'string' ? source.split(find).length - 1 : [...source.matchAll(new RegExp(find, 'g'))].length;
  if (found !== 1) throw new Error(`the change of ${file} fits ${found} times: ${String(find)}`);
  return source.replace(find, () => replace);
}
