import { beta, type Random } from './sampling.js';
import type { User } from './traffic.js';

/** Users with Pareto activity (some come again and again), each with an error rate of its own, 1 on average. */
export function stickyUsers(count: number, random: Random): User[] {
  return Array.from({ length: count }, () => ({
    activity: (1 - random()) ** (-1 / 1.1),
    propensity: beta(random, 0.5, 4.5) * 10,
    place: random(),
    group: Math.floor(random() * 64),
  }));
}
