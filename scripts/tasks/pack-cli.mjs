import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { builtinsAtRunTime, NOT_BUNDLED, WITHOUT_EFFECTS } from './bundle.mjs';
import { ROOT } from './processes.mjs';
import { say } from './say.mjs';

/** Programs of the package, at the places where they look for each other, with what they are made of. */
const PROGRAMS = {
  'apps/cli/src/main': 'apps/cli/src/main.ts',
  'services/replay/main': 'apps/evaluator/src/replay/main.ts',
  'apps/evaluator/src/rehearsal/main': 'apps/evaluator/src/rehearsal/main.ts',
  'apps/evaluator/src/rehearsal/worker': 'apps/evaluator/src/rehearsal/worker.ts',
};

/**
 * Makes the npm package of canaryctl: its programs bundled, with no other dependencies than those.
 * @param {string} folder where the tarball goes
 * @returns {Promise<string>} path of the tarball
 */
export async function packCli(folder) {
  // Of its own: somebody else may be packing at the same time.
  const stage = mkdtempSync(join(tmpdir(), 'canaryctl-'));
  try {
    return await packFrom(stage, folder);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

async function packFrom(stage, folder) {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    cwd: ROOT,
    input: PROGRAMS,
    platform: 'node',
    external: NOT_BUNDLED,
    tsconfig: join(ROOT, 'tsconfig.json'),
    treeshake: { moduleSideEffects: (id) => !WITHOUT_EFFECTS.test(id) },
    plugins: [builtinsAtRunTime()],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  const chunks = reachable(output);
  for (const { fileName, code } of chunks) {
    mkdirSync(dirname(join(stage, fileName)), { recursive: true });
    writeFileSync(join(stage, fileName), code);
  }
  writeFileSync(join(stage, 'LICENSES-OF-OTHERS.txt'), licences(chunks));
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  writeFileSync(join(stage, LAUNCHER), LAUNCH);
  writeFileSync(join(stage, 'README.md'), README);
  copyFileSync(join(ROOT, 'LICENSE'), join(stage, 'LICENSE'));
  mkdirSync(folder, { recursive: true });
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: stage,
    encoding: 'utf8',
  });
  const [packed] = Object.values(JSON.parse(answer));
  const path = join(folder, packed.filename);
  say(`${path}: ${Math.round(packed.size / 1000)} kB, ${packed.entryCount} files`);
  return path;
}

const LAUNCHER = 'canaryctl.cjs';
/** For every Node there is: an older one is told so, instead of stumbling over what it does not know. */
const LAUNCH = `#!/usr/bin/env node
const [major] = process.versions.node.split('.');
if (Number(major) >= 24) import('./apps/cli/src/main.js');
else {
  process.stderr.write('canaryctl needs Node 24 or newer, and this is Node ' + process.versions.node + ': put a newer one first in PATH\\n');
  process.exitCode = 1;
}
`;

const README = `# canaryctl

Start, watch and steer canary releases of models. \`canaryctl --help\` shows its commands, \`canaryctl doctor\` what is wrong.
Needs Node 24. Part of Model Canary.
`;

function manifest() {
  const { version, description, license, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    name: 'canaryctl',
    version,
    description,
    license,
    type: 'module',
    engines: { node: '>=24' },
    bin: { canaryctl: LAUNCHER },
    dependencies: Object.fromEntries(NOT_BUNDLED.map((name) => [name, dependencies[name]])),
  };
}

/** What the programs load in the end; the bundler also writes what only unused code would have loaded. */
function reachable(output) {
  const byName = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
  const wanted = new Set();
  const visit = (name) => {
    const chunk = byName.get(name);
    if (!chunk || wanted.has(chunk)) return;
    wanted.add(chunk);
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next);
  };
  for (const program of Object.keys(PROGRAMS)) visit(`${program}.js`);
  return [...wanted];
}

/** The notices that the licences of bundled packages ask for. */
function licences(chunks) {
  const roots = new Set(chunks.flatMap(({ moduleIds }) => moduleIds).flatMap((id) => packageOf(id) ?? []));
  const notices = [...roots].sort().map((root) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const file = readdirSync(root).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file ? readFileSync(join(root, file), 'utf8').trim() : `Licence: ${license}`;
    return `${name} ${version}\n${'-'.repeat(name.length + version.length + 1)}\n${text}\n`;
  });
  return `${notices.join('\n\n')}`;
}

function packageOf(moduleId) {
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(moduleId)?.[1];
  return found && existsSync(join(found, 'package.json')) ? found : null;
}
