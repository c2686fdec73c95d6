import { Link } from '../app/navigation.js';
import { timeText } from '../domain/figures.js';
import type { RolloutLine } from '../domain/records.js';
import { rolloutPath } from '../domain/route.js';
import { sentence } from '../domain/sentence.js';
import { statusView } from '../domain/status.js';
import { StatusBadge } from './status-badge.js';

interface OtherRolloutsProps {
  readonly model: string;
  readonly lines: readonly RolloutLine[];
  readonly shown: string | null;
  readonly nowMs: number;
}

/** The model's other rollouts, each at an address that stays. */
export function OtherRollouts({ model, lines, shown, nowMs }: OtherRolloutsProps) {
  const others = lines.filter(({ rollout }) => rollout !== shown);
  if (others.length === 0) return null;
  return (
    <section class="card others" aria-labelledby="others">
      <h2 id="others">Other rollouts of {model}</h2>
      <ul>
        {others.map(({ rollout, status, canary, endedAt, startedAt, reason }) => (
          <li key={rollout}>
            <Link to={rolloutPath(model, rollout)}>{rollout}</Link>
            <StatusBadge status={statusView({ status, step: 0, steps: 0, held: null, pause: null })} />
            <span class="note">
              {canary && `${canary}, `}
              {timeText(endedAt ?? startedAt, nowMs)}
            </span>
            {reason && <p class="reason">{sentence(reason, [model])}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
