import { connect } from 'node:net';

const DIAL_WITHIN_MS = 5_000;

/** Resolves once a TCP connection stood; rejects with an error that has a `code`. */
export function dial(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: DIAL_WITHIN_MS });
    const end = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.once('connect', () => end());
    socket.once('error', end);
    socket.once('timeout', () => end(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
  });
}
