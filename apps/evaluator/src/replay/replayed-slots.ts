import { join } from 'node:path';
import { CanaryError, type Cut } from '@app/shared';
import { frontOf, type SlotCounts } from '../domain/cut/slot-view.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { allOf } from './all-of.js';
import type { Progress } from './progress.js';
import type { ReplayOptions } from './replay.js';
import { SlotSpool } from './slot-spool.js';

/** Every partition of outcomes and labels. */
export interface Slots {
  readonly counts: SlotCounts;
  readonly outcome: readonly SlotSpool[];
  readonly label: readonly SlotSpool[];
  /** In the order of folding. */
  readonly all: readonly SlotSpool[];
}

/** @param directories complete, one of each model. */
export async function openSlots(
  { source, models, sealer, folder }: ReplayOptions,
  directories: readonly GenerationDirectory[],
): Promise<Slots> {
  const { controlPartitions } = source;
  const directory: GenerationDirectory = {
    model: (hash) => directories.map((of) => of.model(hash)).find((entry) => entry !== null) ?? null,
  };
  const partitions = async (role: 'outcome' | 'label') =>
    (await source.offsets(role)).map(({ partition }) => {
      const path = join(folder, `${role}-${partition}`);
      return { partition, controlPartitions, models, path };
    });
  const outcome = (await partitions('outcome')).map((slot) => SlotSpool.ofOutcomes(slot));
  const label = (await partitions('label')).map((slot) => SlotSpool.ofLabels(slot, sealer, directory));
  return { counts: { outcome: outcome.length, label: label.length }, outcome, label, all: [...outcome, ...label] };
}

/** Folds the partitions of outcomes and labels as far as the last cuts reach, and says what is missing in them. */
export async function readSlots(
  { source, emit }: ReplayOptions,
  slots: Slots,
  lastCuts: readonly Cut[],
  progress: Progress,
): Promise<void> {
  const fronts = lastCuts.map((cut) => frontOf(cut, slots.counts).positions);
  const target = slots.all.map((_, i) => Math.max(...fronts.map((positions) => positions[i]!)));
  const read = async (role: 'outcome' | 'label'): Promise<void> => {
    const upTo = role === 'outcome' ? target.slice(0, slots.counts.outcome) : target.slice(slots.counts.outcome);
    const ranges = await source.offsets(role);
    const total = ranges.reduce((sum, { partition, low }) => sum + Math.max(0, upTo[partition]! - low), 0);
    const count = progress.of(role === 'outcome' ? 'outcomes' : 'labels', total);
    await source.read(role, { upTo }, (batch) => {
      slots[role][batch.partition]!.take(batch);
      count(batch.records.length);
    });
    const topic = source.topics[role];
    for (const { partition, low, end } of ranges) {
      const slot = slots[role][partition]!;
      if (end < upTo[partition]!)
        throw new CanaryError(
          'records-missing',
          `${topic}/${partition} ends at ${end}, and the last cut rests on what was below ${upTo[partition]}: was the topic made anew?`,
        );
      const gap = { kind: 'gap', topic, partition, from: low, fromMs: slot.firstTimeMs } as const;
      if (low > 0) emit({ ...gap, text: `begins at offset ${low}: what came before is gone` });
      if (slot.missed > 0) emit({ ...gap, text: `${slot.missed} records went while it was read` });
    }
  };
  await allOf([read('outcome'), read('label')]);
}
