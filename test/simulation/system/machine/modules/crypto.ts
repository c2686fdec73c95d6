/** In place of node:crypto: the same, and what is random is drawn from the simulated process's numbers. */
import * as crypto from 'node:crypto';
import { currentHost } from '../host.js';

export * from 'node:crypto';

export const randomBytes = (size: number): Buffer => currentHost()?.random.bytes(size) ?? crypto.randomBytes(size);

export function randomUUID(): string {
  const host = currentHost();
  if (!host) return crypto.randomUUID();
  const hex = host.random.bytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
