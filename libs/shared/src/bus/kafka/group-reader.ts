import { Ending } from './ending.js';
import { GroupLife } from './group-life.js';
import { type KafkaClient, missingTopic } from './kafka-client.js';
import type { ReaderOptions } from './reader-options.js';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 1000;
/** A life as long as this was a good one: the next begins at once. */
const GOOD_LIFE_MS = 10_000;

/** Reads for ever: gives a consumer that ended a successor, with a new client. One WARN per outage. */
export class GroupReader {
  private life: GroupLife | null = null;
  private readonly ending = new Ending();
  private closing: Promise<void> | null = null;
  private readonly running: Promise<void>;
  private away = false;
  private missingTold = '';
  private member: { readonly groupId: string; readonly memberId: string } | null = null;

  /** @param options asked anew for each life. */
  constructor(
    private readonly client: KafkaClient,
    private readonly options: () => ReaderOptions,
  ) {
    this.running = this.run();
  }

  fetchAgeMs(): number {
    return this.life?.fetchAgeMs() ?? Infinity;
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    this.ending.end();
    await this.life?.finish();
    await this.running;
  }

  private async run(): Promise<void> {
    let pauseMs = PAUSE_MS_MIN;
    while (!this.closing) {
      const bornMs = performance.now();
      const options = this.options();
      const former = this.member?.groupId === options.groupId ? this.member.memberId : null;
      const observed: ReaderOptions = {
        ...options,
        onAssigned: (partitions, memberId) => {
          this.member = { groupId: options.groupId, memberId };
          this.back(options);
          options.onAssigned(partitions, memberId);
        },
        onMissing: (topics) => {
          options.onError(missingTopic(topics.join(', ')));
          this.missing(topics);
        },
        onUnreadable: (tp, records) => {
          this.client.logger.error({ ...tp, ...records }, 'records cannot be read: they are passed over');
          options.onUnreadable(tp, records);
        },
      };
      const life = new GroupLife(this.client, observed, former);
      this.life = life;
      const reason = await life.live();
      if (!this.closing) this.gone(reason, options);
      await life.bury();
      this.life = null;
      pauseMs = performance.now() - bornMs > GOOD_LIFE_MS ? PAUSE_MS_MIN : Math.min(pauseMs * 2, PAUSE_MS_MAX);
      await this.ending.wait(pauseMs);
    }
  }

  /** Said once for each set of them. */
  private missing(topics: readonly string[]): void {
    const told = topics.join();
    if (told === this.missingTold) return;
    this.missingTold = told;
    this.client.logger.error({ topics }, 'topics do not exist: the others are read, and these once they are there');
  }

  private gone(reason: Error, { topics, groupId, onError }: ReaderOptions): void {
    onError(this.client.sayRefusal(reason));
    if (this.away) return;
    this.away = true;
    this.client.logger.warn({ err: reason, topics, groupId }, 'reading from Kafka was interrupted; trying again');
  }

  private back({ topics, groupId }: ReaderOptions): void {
    if (!this.away) return;
    this.away = false;
    this.client.logger.info({ topics, groupId }, 'reading from Kafka again');
  }
}
