import {
  type BusRecord,
  type Cut,
  cutCodec,
  type MemoryBroker,
  type MemoryLog,
  type TopicNames,
  type TopicRole,
  TOPICS,
} from '@app/shared';

export interface LedgerEntry extends BusRecord {
  readonly partition: number;
  /** Simulated time of the broker's append. */
  readonly atMs: number;
}

export type LedgerListener = (entry: LedgerEntry) => void;

/** Everything that was ever written to the topics, whatever retention and compaction have done since. */
export class Ledger {
  private readonly partitions = new Map<TopicRole, LedgerEntry[][]>();
  private readonly listeners = new Map<TopicRole, LedgerListener[]>();

  constructor(
    private readonly broker: MemoryBroker,
    private readonly topics: TopicNames,
    private readonly nowMs: () => number,
  ) {
    for (const role of TOPICS) {
      this.listeners.set(role, []);
      this.partitions.set(
        role,
        this.logs(role).map((log, partition) => this.follow(role, log, partition)),
      );
    }
  }

  /** Tells of each record when it is written, before anybody can read it. */
  onRecord(role: TopicRole, listener: LedgerListener): void {
    this.listeners.get(role)!.push(listener);
  }

  of(role: TopicRole, partition: number): readonly LedgerEntry[] {
    return this.partitions.get(role)![partition]!;
  }

  /** All partitions. */
  all(role: TopicRole): readonly (readonly LedgerEntry[])[] {
    return this.partitions.get(role)!;
  }

  /** Offset of the last record that is no tick; -1 if there is none. */
  lastOf(role: TopicRole, partition: number): number {
    return this.of(role, partition).findLast(({ value }) => !value?.includes('"tick"'))?.offset ?? -1;
  }

  /** Newest cut of an owner. */
  lastCut(owner: number): Cut | null {
    for (const { value } of [...this.of('verdict', owner)].reverse()) {
      const cut = cutCodec.decode(value);
      if (cut.ok) return cut.value;
    }
    return null;
  }

  logs(role: TopicRole): readonly MemoryLog[] {
    return this.broker.logs(this.topics[role]);
  }

  /** Retention: what is older than so long goes. */
  dropOlder(role: TopicRole, keepMs: number): void {
    const before = this.nowMs() - keepMs;
    this.logs(role).forEach((log, partition) => {
      const kept = this.of(role, partition).find(({ atMs }) => atMs >= before);
      log.dropBelow(kept?.offset ?? log.end);
    });
  }

  /** First offset of a partition that can be read. */
  low(role: TopicRole, partition: number): number {
    return this.logs(role)[partition]!.low;
  }

  private follow(role: TopicRole, log: MemoryLog, partition: number): LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    let read = 0;
    log.onAppend(() => {
      if (log.end === read) return;
      const { records } = log.read({ from: read, bytesMax: Number.MAX_SAFE_INTEGER, committed: false });
      read = log.end;
      for (const record of records) {
        const entry = { ...record, partition, atMs: this.nowMs() };
        entries.push(entry);
        for (const listener of this.listeners.get(role)!) listener(entry);
      }
    });
    return entries;
  }
}
