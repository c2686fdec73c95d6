import { awaited, AWAITED_WORDS } from '../domain/awaited.js';
import { agoText, sinceText } from '../domain/figures.js';
import { headline } from '../domain/headline.js';
import type { RolloutRecord } from '../domain/records.js';
import { isOpen } from '../domain/records.js';
import { trafficShare } from '../domain/traffic-share.js';
import type { RolloutData } from '../live/rollout-source.js';
import { Icon, toneIcon } from './icon.js';
import { WeightBar } from './weight-bar.js';

interface RolloutHeadlineProps {
  readonly data: RolloutData;
  readonly record: RolloutRecord;
  readonly nowMs: number;
}

/** Is it all right, why is it as it is, what is awaited: the first thing that is read. */
export function RolloutHeadline({ data, record, nowMs }: RolloutHeadlineProps) {
  const { state, verdict, isPresent } = data;
  const present = isPresent ? (state.rollout ?? null) : null;
  const told = headline(record, present, verdict);
  const waiting = awaited(present, verdict, nowMs);
  const open = isOpen(record.status);
  return (
    <section class={`headline tone-${told.status.tone}`} aria-label="How it stands">
      <div class="headline-main">
        <p class="headline-status">
          <Icon name={toneIcon(told.status.tone)} />
          <strong>{told.status.word}</strong>
          <span class="headline-detail">
            {told.status.detail}
            {told.since !== null &&
              `${told.status.detail ? ', ' : ''}${open ? `for ${sinceText(nowMs - told.since)}` : agoText(nowMs - told.since)}`}
          </span>
        </p>
        {told.reason && <p class="headline-reason">{told.reason}</p>}
        {open && waiting.what !== 'nothing' && (
          <p class="headline-awaited">
            Waiting for <strong>{AWAITED_WORDS[waiting.what]}</strong>
            {waiting.forecast && `, ${waiting.forecast}`}
            {waiting.what === 'person' || waiting.what === 'time' ? `. ${waiting.text}` : '.'}
          </p>
        )}
      </div>
      {isPresent && (
        <div class="headline-traffic">
          <WeightBar share={trafficShare(state, open ? (verdict?.counted ?? null) : null)} />
          <p class="legend">
            <span class="key key-stable" /> {state.stable}
            {state.canary && (
              <>
                <span class="key key-canary" /> {state.canary}
              </>
            )}
          </p>
        </div>
      )}
    </section>
  );
}
