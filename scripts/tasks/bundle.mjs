import { existsSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './processes.mjs';

/** Services: in a few files each instead of a thousand they start in well under half the time. */
export const BUNDLED = ['router', 'evaluator', 'controller'];

/** Where the build puts the program of an app, in dist/. */
export const programOf = (app) => (BUNDLED.includes(app) ? `services/${app}/main.js` : `apps/${app}/src/main.js`);

/**
 * Stays as npm brings it: compiled for each machine, files beside the code, or reached for by file name. OpenTelemetry
 * is loaded only when it is wanted.
 */
const EXTERNAL = /^(@node-rs\/crc32|kafkajs|lz4-napi|snappy|swagger-ui-dist|@opentelemetry\/.*)(\/.*)?$/;
const OWN = join(ROOT, 'dist') + '/';

/**
 * Makes dist/services/<app>/main.js of what the compiler has put into dist/apps and dist/libs.
 * @param {string} app one of BUNDLED, built
 */
export async function bundle(app) {
  const { rolldown } = await import('rolldown');
  const folder = join(ROOT, 'dist', 'services', app);
  rmSync(folder, { recursive: true, force: true });
  const made = await rolldown({
    cwd: ROOT,
    input: { main: join(ROOT, 'dist', 'apps', app, 'src', 'main.js') },
    platform: 'node',
    external: (id, importer) => EXTERNAL.test(id) || isMissing(id, importer),
    plugins: [ownPlaces(folder)],
    logLevel: 'warn',
  });
  await made.write({
    dir: folder,
    format: 'esm',
    entryFileNames: 'main.js',
    chunkFileNames: '[name]-[hash].js',
  });
  await made.close();
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

/** Nest asks for packages that a service has only if it uses them, and is told that they are not there. */
function isMissing(id, importer) {
  if (id.startsWith('.') || id.startsWith('/') || id.startsWith('node:') || builtinModules.includes(id)) return false;
  const name = /^(@[^/]+\/)?[^/]+/.exec(id)?.[0];
  if (!importer || !name || id.startsWith('@app/')) return false;
  for (let at = dirname(importer); at.length > 1; at = dirname(at))
    if (existsSync(join(at, 'node_modules', name))) return false;
  return true;
}
