import { hashText } from './random.js';

/**
 * Everything that happened, as a hash and, when wanted, as lines. Two runs of one seed must come to the same hash after
 * the same number of steps.
 */
export class History {
  private high = 0x1234567;
  private low = 0x89abcde;
  private readonly names = new Map<string, number>();

  /** @param print gets the lines; null: only the hash is wanted. */
  constructor(private readonly print: ((line: string) => void) | null = null) {}

  get isPrinted(): boolean {
    return this.print !== null;
  }

  /** A step of the scheduler. */
  step(atMs: number, host: string, what: string): void {
    if (process.env['STEPS']) this.tell(atMs, host, `step ${what}`);
    this.mix(Math.round(atMs * 1000));
    this.mix(this.numberOf(host));
    this.mix(this.numberOf(what));
  }

  /** A number that must be the same in every run. */
  note(n: number): void {
    this.mix(n);
  }

  /** A line for people; it is in no hash. */
  tell(atMs: number, host: string, text: string): void {
    this.print?.(`${(atMs / 1000).toFixed(4).padStart(10)}  ${host.padEnd(16)} ${text}`);
  }

  digest(): string {
    return (this.high >>> 0).toString(16).padStart(8, '0') + (this.low >>> 0).toString(16).padStart(8, '0');
  }

  private mix(n: number): void {
    this.high = Math.imul(this.high ^ (n | 0), 0x85ebca6b) ^ (this.low >>> 13);
    this.low = Math.imul(this.low ^ (this.high >>> 7), 0xc2b2ae35) + (n | 0);
  }

  private numberOf(name: string): number {
    let n = this.names.get(name);
    if (n === undefined) {
      n = hashText(name);
      this.names.set(name, n);
    }
    return n;
  }
}
