import type { Logger } from '../../logger.js';

/** Says once that something is away, whoever of many finds out first, and once that nobody misses it any more. */
export class Outage<Who> {
  private readonly missing = new Set<Who>();

  constructor(
    private readonly logger: Logger,
    private readonly texts: { readonly gone: string; readonly back: string },
  ) {}

  gone(who: Who, error: unknown): void {
    if (this.missing.has(who)) return;
    if (this.missing.size === 0) this.logger.warn({ err: error }, this.texts.gone);
    this.missing.add(who);
  }

  back(who: Who): void {
    if (this.missing.delete(who) && this.missing.size === 0) this.logger.info(this.texts.back);
  }

  /** Nobody waits for it there any more. */
  forget(who: Who): void {
    this.missing.delete(who);
  }
}
