import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a configuration of one thread with keep-alive upstreams; returns the arguments for haproxy. */
export function haproxyArgs(of: {
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
}): readonly string[] {
  const { folder, port, upstreamPort } = of;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen predictions
  bind 127.0.0.1:${port}
  server models 127.0.0.1:${upstreamPort} pool-max-conn 1024
`,
  );
  return ['-f', file];
}
