import { type SlotId, slotName } from './slot-store.js';

/**
 * Every Redis key of a slot. All have the slot's name in braces: one cluster slot, one atomic step. They expire SLOT_TTL_MS
 * after their last change (a slot with an owner changes twice a second at least, by ticks); a slot that has expired is
 * restored from evaluator-checkpoint.
 *
 *   mc:{outcome-7}:slot            hash     @position, @logTime, @trimmed:<owner>, and the fields of the image
 *   mc:{outcome-7}:summaries:3     stream   summaries for the owner of partition 3; those of a change are an entry
 *                                           at the last of them, <offset>-<index + 1>
 *   mc:{outcome-7}:waiting         list     figures of batches that are not in the windows yet
 *   mc:{outcome-7}:windows:...     hash     see windows/window-layout.ts
 */
export const slotKeys = (prefix: string, slot: SlotId) => {
  const tagged = `${prefix}:{${slotName(slot)}}`;
  return {
    slot: `${tagged}:slot`,
    waiting: `${tagged}:waiting`,
    summaries: (owner: number): string => `${tagged}:summaries:${owner}`,
  };
};

export const META_FIELD = {
  position: '@position',
  logTime: '@logTime',
  trimmed: (owner: number): string => `@trimmed:${owner}`,
} as const;

export const isMetaField = (field: string): boolean => field.startsWith('@');

export const SLOT_TTL_MS = 7 * 86_400_000;
