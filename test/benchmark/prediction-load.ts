import { Pool } from 'undici';

export interface LoadResult {
  /** Sent. */
  readonly predictions: number;
  /** Not answered with 200. */
  readonly failed: number;
  /** No connection was accepted: a load balancer would have gone elsewhere. The load ends with the first. */
  readonly turnedAway: number;
  /** Sorted. */
  readonly latenciesMs: readonly number[];
}

const BODY = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 64], datatype: 'FP32', data: 'x'.repeat(600) }] });

export interface LoadOptions {
  readonly predictions: number;
  readonly connections: number;
  /** Default: as fast as they go. */
  readonly perSecond?: number;
  /** Whether to send no more; default never. */
  readonly isOver?: () => boolean;
}

/** Sends predictions of many users to a router: `connections` at once, as fast as they go or at most `perSecond`. */
export async function predictionLoad(url: string, options: LoadOptions): Promise<LoadResult> {
  const { predictions, connections, perSecond = Infinity, isOver = () => false } = options;
  const pool = new Pool(url, { connections, pipelining: 1 });
  const latenciesMs: number[] = [];
  const beganAtMs = performance.now();
  let next = 0;
  let failed = 0;
  let turnedAway = 0;
  const client = async (): Promise<void> => {
    for (let n = next++; n < predictions && turnedAway === 0 && !isOver(); n = next++) {
      const dueInMs = beganAtMs + (n / perSecond) * 1000 - performance.now();
      if (dueInMs > 1) await new Promise((resolve) => setTimeout(resolve, dueInMs));
      const sentAtMs = performance.now();
      const headers = { 'content-type': 'application/json', 'x-user-id': `user-${n % 10_000}` };
      try {
        const answer = await pool.request({ method: 'POST', path: '/v2/models/digits/infer', headers, body: BODY });
        await answer.body.arrayBuffer();
        if (answer.statusCode !== 200) failed++;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') turnedAway++;
        else failed++;
      }
      latenciesMs.push(performance.now() - sentAtMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
  return {
    predictions: latenciesMs.length - turnedAway,
    failed,
    turnedAway,
    latenciesMs: latenciesMs.sort((a, b) => a - b),
  };
}

/** A quantile of sorted numbers. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}
