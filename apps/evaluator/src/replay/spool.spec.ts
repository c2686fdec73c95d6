import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Spool } from './spool.js';

const folder = mkdtempSync(join(tmpdir(), 'model-canary-spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a spool', () => {
  it('gives its entries back in order, whatever their lengths', () => {
    const spool = new Spool(join(folder, 'some'));
    const lengths = [
      0,
      1,
      7,
      1024 * 1024 - 4,
      3,
      3 * 1024 * 1024,
      0,
      500,
      ...Array.from({ length: 2_000 }, (_, i) => i),
    ];
    for (const [i, length] of lengths.entries()) spool.append(Buffer.alloc(length, i % 251));
    let i = 0;
    for (const entry of spool.entries()) {
      expect(entry.equals(Buffer.alloc(lengths[i]!, i % 251))).toBe(true);
      i += 1;
    }
    expect(i).toBe(lengths.length);
    spool.close();
  });

  it('is empty until something was put there', () => {
    const spool = new Spool(join(folder, 'none'));
    expect([...spool.entries()]).toEqual([]);
    spool.close();
  });
});
