import type { RoutedPrediction, RouterProcess } from '../world/router-process.js';
import type { Report } from './violation.js';

interface Placed {
  /** Least share of the canary at which the user was on it, and largest at which it was not. */
  onFrom: number;
  offAt: number;
}

/** Invariants 1 and 3: users stay where they are while the canary's share rises, and every outcome is accounted for. */
export class RouterChecks {
  private readonly users = new Map<string, Placed>();
  private readonly generations = new WeakMap<RouterProcess, Map<string, number>>();

  constructor(private readonly report: Report) {}

  routed(router: string, { salt, user, role, canaryPoints, model }: RoutedPrediction): void {
    if (canaryPoints === 0) return;
    const key = `${salt} ${user}`;
    const placed = this.users.get(key) ?? { onFrom: Infinity, offAt: -1 };
    this.users.set(key, placed);
    if (role === 'canary') placed.onFrom = Math.min(placed.onFrom, canaryPoints);
    else placed.offAt = Math.max(placed.offAt, canaryPoints);
    if (placed.offAt >= placed.onFrom)
      this.report(
        '1',
        `${user} of ${model} is on the canary at ${placed.onFrom} points and not at ${placed.offAt}, by ${router}`,
      );
  }

  /** After each step of a router. */
  check(router: RouterProcess, models: readonly string[]): void {
    for (const { model, version, sent, acknowledged, spooled, dropped, onTheWay } of router.publisher.tallies) {
      if (acknowledged < 0 || spooled < 0 || dropped < 0 || onTheWay < 0)
        this.report(
          '3',
          `${router.router}, ${model} ${version}: sent ${sent}, acknowledged ${acknowledged}, spooled ${spooled}, dropped ${dropped}`,
        );
    }
    const before = this.generations.get(router) ?? new Map<string, number>();
    this.generations.set(router, before);
    for (const model of models) {
      const generation = router.generationOf(model) ?? 0;
      if (generation < (before.get(model) ?? 0))
        this.report(
          '6',
          `${router.router} went back from generation ${before.get(model)} to ${generation} of ${model}`,
        );
      before.set(model, generation);
    }
  }

  /** At rest: everything sent has become something. */
  checkAtRest(router: RouterProcess): void {
    for (const { model, version, sent, acknowledged, spooled, dropped } of router.publisher.tallies)
      if (sent !== acknowledged + spooled + dropped)
        this.report(
          '3',
          `${router.router}, ${model} ${version}: ${sent} sent, ${acknowledged} acknowledged, ${spooled} spooled, ${dropped} dropped`,
        );
  }
}
