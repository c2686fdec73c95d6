import { Pool } from 'undici';
import type { Label } from '@app/shared';
import { type Move, stickinessViolations } from '../../../apps/standalone/src/demo/load/stickiness.js';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';

import { COUNTRY_HEADER } from './model-server-fake.js';

export interface UsersOptions {
  readonly model: string;
  readonly seed: number;
  readonly predictionsPerSecond: number;
  readonly users: number;
  /** Base URLs of the routers that are ready now; asked before every prediction. */
  readonly routerUrls: () => readonly string[];
  /** When a label of a prediction comes, ms after its answer; null: never. */
  readonly labelDelayMs: (random: Random) => number | null;
  readonly sendLabels: (labels: readonly Label[]) => Promise<void>;
}

/** Half of the users are from the first. */
const COUNTRIES = ['us', 'us', 'us', 'us', 'us', 'de', 'de', 'de', 'fr', 'fr'];
const TURN_MS = 20;
const LABELS_EVERY_MS = 100;

/** Users of one model who send what they know the answer to, and tell it later. */
export class Users {
  predictions = 0;
  /** What went wrong, one entry a prediction: no answer, or a status that is not 2xx. */
  readonly failures: string[] = [];
  readonly answersByVersion = new Map<string, number>();
  readonly moves: Move[] = [];
  labelsSent = 0;
  private readonly random: Random;
  private readonly pools = new Map<string, Pool>();
  private readonly busy = new Set<number>();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly versions = new Map<number, string>();
  private labels: { readonly dueMs: number; readonly label: Label }[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: UsersOptions) {
    this.random = seededRandom(options.seed);
  }

  start(): void {
    const perTurn = (this.options.predictionsPerSecond * TURN_MS) / 1000;
    let owed = 0;
    this.timers.push(
      setInterval(() => {
        for (owed += perTurn; owed >= 1; owed--) this.predict();
      }, TURN_MS),
      setInterval(() => void this.flushLabels(), LABELS_EVERY_MS),
    );
  }

  /** Stops asking, and waits for the answers that are due. Idempotent. */
  async stop(): Promise<void> {
    this.timers.splice(0).forEach(clearInterval);
    await Promise.all(this.inFlight);
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  violations(stable: string, canary: string, until: number): number {
    return stickinessViolations(this.moves, { stable, canary, until });
  }

  private predict(): void {
    const user = Math.floor(this.random() * this.options.users);
    const urls = this.options.routerUrls();
    const url = urls[Math.floor(this.random() * urls.length)];
    if (url === undefined || this.busy.has(user)) return;
    this.busy.add(user);
    this.predictions++;
    const answered = this.ask(user, url)
      .catch((error: unknown) => void this.failures.push(String(error)))
      .finally(() => {
        this.busy.delete(user);
        this.inFlight.delete(answered);
      });
    this.inFlight.add(answered);
  }

  private async ask(user: number, url: string): Promise<void> {
    const truth = Math.floor(this.random() * 10);
    const { statusCode, headers, body } = await this.poolOf(url).request({
      method: 'POST',
      path: `/v2/models/${this.options.model}/infer`,
      headers: {
        'content-type': 'application/json',
        'x-user-id': `user-${user}`,
        [COUNTRY_HEADER]: COUNTRIES[user % COUNTRIES.length]!,
      },
      body: JSON.stringify({ inputs: [{ name: 'truth', datatype: 'INT64', shape: [1], data: [truth] }] }),
    });
    const answer = await body.text();
    if (statusCode < 200 || statusCode > 299) {
      this.failures.push(`${statusCode}: ${answer}`);
      return;
    }
    this.note(user, String(headers['x-model-version']));
    const delayMs = this.options.labelDelayMs(this.random);
    if (delayMs === null) return;
    const label = { predictionId: String(headers['x-prediction-id']), label: truth };
    this.labels.push({ dueMs: Date.now() + delayMs, label });
  }

  private note(user: number, version: string): void {
    this.answersByVersion.set(version, (this.answersByVersion.get(version) ?? 0) + 1);
    const before = this.versions.get(user);
    if (before !== undefined && before !== version)
      this.moves.push({ user, from: before, to: version, at: Date.now() });
    this.versions.set(user, version);
  }

  private async flushLabels(): Promise<void> {
    const nowMs = Date.now();
    const due = this.labels.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    this.labels = this.labels.filter(({ dueMs }) => dueMs > nowMs);
    await this.options.sendLabels(due.map(({ label }) => label));
    this.labelsSent += due.length;
  }

  private poolOf(url: string): Pool {
    const pool = this.pools.get(url) ?? new Pool(url, { connections: 32 });
    this.pools.set(url, pool);
    return pool;
  }
}
