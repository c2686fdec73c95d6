import type { Clock, Logger, ModelWindow, WindowReader } from '@app/shared';

/** The last windows are still filling: labels, slow answers and the evaluator's own delay. */
const SETTLE_MS = 20_000;
const LOOK_BACK_MS = 300_000;

/** How many predictions a second a model gets at present, from its windows. */
export class TrafficRate {
  constructor(
    private readonly windows: WindowReader | undefined,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Null: not known. An estimate is a help; it must not fail what it is to help with. */
  async perSecond(model: string): Promise<number | null> {
    if (!this.windows) return null;
    const toMs = this.clock.nowMs() - SETTLE_MS;
    try {
      return rateOf(await this.windows.read(model, { resolution: '10s', fromMs: toMs - LOOK_BACK_MS, toMs }));
    } catch (error) {
      this.logger.warn({ err: error, model }, 'the present traffic is not known');
      return null;
    }
  }
}

/** Over the time from the first window with traffic, so that a model that has just begun is not underrated. */
export function rateOf(windows: readonly ModelWindow[]): number | null {
  const [first, last] = [windows[0], windows.at(-1)];
  if (!first || !last) return null;
  let routed = 0;
  for (const { versions } of windows) for (const figures of versions.values()) routed += figures.routed;
  const spanMs = last.startMs + last.durationMs - first.startMs;
  return routed === 0 ? null : (routed * 1000) / spanMs;
}
