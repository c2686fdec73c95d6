/**
 * What became of the outcome records of one version in this process. At rest sent = acknowledged + spooled + dropped;
 * what is missing is on its way (collected, or admitted by a producer and not acknowledged yet).
 */
export class Tally {
  sent = 0;
  acknowledged = 0;
  /** On disk now, and not acknowledged. */
  spooled = 0;
  dropped = 0;

  constructor(
    /** Number within this process; stands in the spool. */
    readonly number: number,
    readonly model: string,
    readonly version: string,
  ) {}

  get onTheWay(): number {
    return this.sent - this.acknowledged - this.spooled - this.dropped;
  }
}

/** Outcomes of earlier processes that were found in the spool: they are in no version's tally. */
export class RestoredTally {
  found = 0;
  acknowledged = 0;
  dropped = 0;
}
