import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type RecordsHeader, recordsHeaderCodec, topicNames, VERSION } from '@app/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const EXAMPLE = join(ROOT, 'examples', 'quick-rollout.yaml');

let folder: string;
let tarball: string;
let canaryctl: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canaryctl-package-'));
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'bootstrap.mjs'), 'pack-cli', folder], { stdio: 'pipe' });
  tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz'))!,
  );
  npm('install', '--global', '--prefix', join(folder, 'prefix'), tarball);
  canaryctl = join(folder, 'prefix', 'bin', 'canaryctl');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(...args: string[]): void {
  execFileSync('npm', args, { stdio: 'pipe', env: { ...process.env, npm_config_update_notifier: 'false' } });
}

/** Where a person would run it: anywhere but here, with nothing of ours around. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const { status, stdout, stderr } = spawnSync(canaryctl, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: path, ...env },
  });
  return { status, stdout, stderr };
}

describe('canaryctl as it is installed from its tarball', () => {
  it('is small, and holds what it needs and the licences of what it holds', () => {
    expect(statSync(tarball).size).toBeLessThan(1_500_000);
    const installed = join(folder, 'prefix', 'lib', 'node_modules', 'canaryctl');
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { dependencies: object };
    // What a bundle cannot hold.
    expect(Object.keys(manifest.dependencies)).toEqual(['@node-rs/crc32', 'kafkajs', 'lz4-napi', 'snappy']);
    const licences = readFileSync(join(installed, 'LICENSES-OF-OTHERS.txt'), 'utf8');
    for (const name of ['ioredis', 'commander', 'yaml']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(licences).not.toMatch(/^@nestjs/m);
    expect(licences).not.toMatch(/GNU (AFFERO )?GENERAL PUBLIC LICENSE/i);
  });

  it('is the version that everything is', () => {
    expect(run(['--version'])).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
    expect(VERSION).toBe((JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version);
  });

  it('says which Node it needs to one that is older', () => {
    const launcher = join(folder, 'prefix', 'lib', 'node_modules', 'canaryctl', 'canaryctl.cjs');
    const older = `Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } }); require(${JSON.stringify(launcher)});`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', older], { encoding: 'utf8' });
    expect(stderr).toBe('canaryctl needs Node 24 or newer, and this is Node 20.1.0: put a newer one first in PATH\n');
    expect(status).toBe(1);
  });

  it('checks a file, and rehearses it with the engine that is in it, on its threads', () => {
    expect(run(['lint', '-f', EXAMPLE, '--rate', '200'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('at 200') as string,
    });
    const rehearsed = run(['simulate', '-f', EXAMPLE, '--rate', '500', '--runs', '2', '-o', 'json']);
    expect(JSON.parse(rehearsed.stdout)).toMatchObject({ runs: 2 });
  });

  it('replays records', () => {
    const records = join(folder, 'records.jsonl');
    const header = {
      kind: 'records' as const,
      schemaVersion: 1 as const,
      model: 'digits',
      topics: { ...topicNames() },
      controlPartitions: 1,
      partitions: [],
    } satisfies RecordsHeader;
    writeFileSync(records, `${recordsHeaderCodec.encode(header).toString()}\n`);
    const keys = { PREDICTION_ID_KEYS: `0:${Buffer.alloc(32).toString('base64')}` };
    const replayed = run(['replay', '--records', records, '-o', 'json'], keys);
    expect(replayed.stderr).toContain('nothing was decided about a model digits');
    expect(replayed.status).toBe(1);
  });

  it('reaches for a controller, for Kafka and for Redis, and says that they are not there', () => {
    const { status, stdout } = run(['doctor'], {
      CANARY_SERVER: 'http://127.0.0.1:9',
      KAFKA_BROKERS: '127.0.0.1:9',
      REDIS_URL: 'redis://127.0.0.1:9',
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /cannot be reached[\s\S]*127.0.0.1:9 cannot be reached \(ECONNREFUSED\)[\s\S]*Redis cannot be used/,
    );
    const topics = run(['topics', 'check'], { KAFKA_BROKERS: '127.0.0.1:9' });
    expect(topics.stderr).toMatch(/^error: Kafka cannot be used: .*ECONNREFUSED.*canaryctl doctor/);
    expect(topics.status).toBe(1);
  });
});
