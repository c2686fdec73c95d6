import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './processes.mjs';

/** Importing these does nothing by itself: what a program does not use of them (the services' half) is left out. */
export const WITHOUT_EFFECTS = /\/(libs\/shared\/src|node_modules\/(@nestjs|rxjs|prom-client|fastify|@fastify))\//;

/**
 * Services, and the replay, which canaryctl starts: in a few files each instead of a thousand they start in well under
 * half the time.
 */
const BUNDLES = [
  { name: 'router', project: 'router', module: 'apps/router/src/main' },
  { name: 'evaluator', project: 'evaluator', module: 'apps/evaluator/src/main' },
  { name: 'replay', project: 'evaluator', module: 'apps/evaluator/src/replay/main', without: WITHOUT_EFFECTS },
  { name: 'controller', project: 'controller', module: 'apps/controller/src/main' },
  // For tests: no service.
  {
    name: 'recording-evaluator',
    project: 'evaluator',
    module: 'apps/evaluator/src/testing/recording-main',
    in: 'test',
  },
];

/** Where the build puts the program of an app, in dist/. */
export const programOf = (app) =>
  BUNDLES.some(({ name }) => name === app) ? `services/${app}/main.js` : `apps/${app}/src/main.js`;

/** What npm brings: the compiled ones, for each machine its own, and kafkajs, whose single files the bus reaches for. */
export const NOT_BUNDLED = ['@node-rs/crc32', 'kafkajs', 'lz4-napi', 'snappy'];
/**
 * What packages load whether it is used or not, and no service uses: half a megabyte of telephone numbers (a check of
 * class-validator's), and OpenTelemetry for exemplars of metrics. By the package that asks for it.
 */
const UNUSED = [
  { asks: '/node_modules/class-validator/', for: 'libphonenumber-js/max' },
  { asks: '/node_modules/prom-client/', for: '@opentelemetry/api' },
];
const EMPTY = '\0empty';
/**
 * To import one of these, Node looks at each of their properties, and so loads what some of them stand for: a whole HTTP
 * client with node:http (12 MiB and 35 ms), all root certificates with node:tls. Asked for at run time they cost nothing.
 */
const COSTLY_IMPORTS = ['http', 'https', 'process', 'tls', 'util'];
const BUILTIN = '\0builtin:';
/** Nest makes them for loggers that no service uses, and the first takes 8 MiB of tables of languages and calendars. */
const DATE_FORMATTER = /= new Intl\.DateTimeFormat\((.*?)\);/s;
const HAS_DATE_FORMATTER = /\/node_modules\/@nestjs\/common\/services\/(console-logger|logger)\.service\.js$/;
const OWN = join(ROOT, 'dist') + '/';

/**
 * Makes dist/services/<name>/main.js and the like of what the compiler has put into dist/apps and dist/libs.
 * @param {string} project a Nest project that was just built
 */
export async function bundlesOf(project) {
  for (const made of BUNDLES) if (project === made.project || project === 'everything') await bundle(made);
}

async function bundle({ name, module, without, in: place = 'services' }) {
  const { rolldown } = await import('rolldown');
  const folder = join(ROOT, 'dist', place, name);
  rmSync(folder, { recursive: true, force: true });
  const made = await rolldown({
    cwd: ROOT,
    input: { main: join(ROOT, 'dist', `${module}.js`) },
    platform: 'node',
    external: (id, importer) => isOutside(id) && !isUnused(id, importer),
    ...(without ? { treeshake: { moduleSideEffects: (id) => !without.test(id) } } : {}),
    plugins: [withoutUnused(), builtinsAtRunTime(), datesWhenAsked(), ownPlaces(folder), inAscii()],
    // Nest asks for packages that a service has only if it uses them, and is told that they are not there.
    onLog: (level, log, say) => log.code !== 'UNRESOLVED_IMPORT' && say(level, log),
  });
  await made.write({
    dir: folder,
    format: 'esm',
    entryFileNames: 'main.js',
    chunkFileNames: '[name]-[hash].js',
  });
  await made.close();
}

/** Its page's files lie beside swagger-ui's code, and OpenTelemetry is loaded only when it is wanted. */
const isOutside = (id) => NOT_BUNDLED.includes(id) || id === 'swagger-ui-dist' || id.startsWith('@opentelemetry/');
const isUnused = (id, importer) => UNUSED.some((unused) => unused.for === id && importer?.includes(unused.asks));

/** An empty module in the place of each of UNUSED. */
function withoutUnused() {
  return {
    name: 'without-unused',
    resolveId: (id, importer) => (isUnused(id, importer) ? EMPTY : null),
    load: (id) => (id === EMPTY ? 'module.exports = {};' : null),
  };
}

/** What else imports them, CommonJS among it, gets the same. */
export function builtinsAtRunTime() {
  return {
    name: 'builtins-at-run-time',
    resolveId: (id) => {
      const name = id.replace(/^node:/, '');
      return COSTLY_IMPORTS.includes(name) ? BUILTIN + name : null;
    },
    load: (id) =>
      id.startsWith(BUILTIN) ? `module.exports = process.getBuiltinModule('node:${id.slice(BUILTIN.length)}');` : null,
  };
}

function datesWhenAsked() {
  return {
    name: 'dates-when-asked',
    transform(code, id) {
      if (!HAS_DATE_FORMATTER.test(id)) return null;
      if (!DATE_FORMATTER.test(code)) throw new Error(`${id} makes no date formatter any more: this can go`);
      const later = '= { format: (date) => new Intl.DateTimeFormat($1).format(date) };';
      return { code: code.replace(DATE_FORMATTER, later), map: null };
    },
  };
}

/** Our own modules find the files beside them where they are, and not where the bundle is. */
function ownPlaces(folder) {
  return {
    name: 'own-places',
    transform(code, id) {
      if (!id.startsWith(OWN) || !code.includes('import.meta.url')) return null;
      const place = JSON.stringify(relative(folder, id));
      return { code: code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`), map: null };
    },
  };
}

/** With a single character beyond Latin-1 in it V8 keeps all of a file's text with two bytes a character. */
function inAscii() {
  return {
    name: 'in-ascii',
    generateBundle: (_options, bundle) => {
      for (const file of Object.values(bundle))
        if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
    },
  };
}

const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
