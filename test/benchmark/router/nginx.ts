import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** As much as a gateway would log of a prediction. */
const JSON_LOG = `log_format predictions escape=json '{"time":"$time_iso8601","id":"$request_id","user":"$http_x_user_id",'
    '"method":"$request_method","uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,'
    '"upstream":"$upstream_addr","upstreamStatus":"$upstream_status","upstreamSeconds":"$upstream_response_time"}';
  access_log FOLDER/access.log predictions buffer=64k flush=1s;`;

/** Writes a configuration of one process with keep-alive upstreams; returns the arguments for nginx. */
export function nginxArgs(of: {
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly log: 'off' | 'json';
}): readonly string[] {
  const { folder, port, upstreamPort, log } = of;
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  ${log === 'off' ? 'access_log off;' : JSON_LOG.replace('FOLDER', folder)}
  ${paths.map((name) => `${name}_temp_path ${folder}/tmp/${name};`).join('\n  ')}
  keepalive_requests 1000000000;
  client_max_body_size 16m;
  client_body_buffer_size 2m;
  upstream models { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://models;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
  );
  return ['-e', 'stderr', '-p', folder, '-c', file];
}
