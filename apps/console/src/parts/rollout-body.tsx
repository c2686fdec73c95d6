import { useMemo } from 'preact/hooks';
import { checkRow } from '../domain/check-rows.js';
import { explain } from '../domain/explain.js';
import type { CheckResult, RolloutRecord } from '../domain/records.js';
import { isOpen } from '../domain/records.js';
import { stepViews } from '../domain/steps.js';
import { timelineItem } from '../domain/timeline.js';
import type { RolloutData } from '../live/rollout-source.js';
import { ChartsPanel } from './charts-panel.js';
import { CheckTable } from './check-table.js';
import { Explanation } from './explanation.js';
import { StepsPanel } from './steps-panel.js';
import { Timeline } from './timeline.js';

interface RolloutBodyProps {
  readonly data: RolloutData;
  readonly record: RolloutRecord;
  readonly nowMs: number;
}

/** Checks and charts; beside them the steps, what was decided, and the words for it. */
export function RolloutBody({ data, record, nowMs }: RolloutBodyProps) {
  const { verdict, series, windows } = data;
  const { stable, canary, decisions, rollout } = record;
  const versions = { stable: stable ?? 'stable', canary: canary ?? 'canary' };
  const decided = !isOpen(record.status) || verdict?.result === 'fail';
  const rows = useMemo(() => checksOf(data, record).map((check) => checkRow(check, decided)), [data, record]);
  const items = useMemo(() => decisions.map(timelineItem).reverse(), [decisions]);
  const told = useMemo(() => verdict && explain(verdict, versions), [verdict, stable, canary]);
  return (
    <div class="columns rollout-columns">
      <section class="card area-checks" aria-labelledby="checks">
        <h2 id="checks">Checks</h2>
        {rows.length > 0 ? (
          <CheckTable
            rows={rows}
            versions={versions}
            caption={`Checks of ${versions.canary} against ${versions.stable}`}
          />
        ) : (
          <p class="quiet">
            Nothing has been compared yet. The first figures come when both versions have had predictions.
          </p>
        )}
      </section>
      <div class="column-side area-side">
        <section class="card" aria-labelledby="steps">
          <h2 id="steps">Steps</h2>
          {record.spec ? (
            <StepsPanel steps={stepViews(record)} />
          ) : (
            <p class="quiet">The file of this rollout is not known any more.</p>
          )}
        </section>
        <section class="card" aria-labelledby="decisions">
          <h2 id="decisions">Decisions</h2>
          {items.length > 0 ? (
            <Timeline
              items={items}
              nowMs={nowMs}
              versions={versions}
              names={[rollout, data.state.model, versions.stable, versions.canary]}
            />
          ) : (
            <p class="quiet">Nothing has been decided yet.</p>
          )}
        </section>
        {told && (
          <section class="card area-words" aria-labelledby="in-words">
            <h2 id="in-words">In words</h2>
            <Explanation told={told} />
          </section>
        )}
      </div>
      <section class="card area-charts" aria-labelledby="over-time">
        <h2 id="over-time">Over time</h2>
        <ChartsPanel record={record} series={series} windows={windows} nowMs={nowMs} />
      </section>
    </div>
  );
}

/** While it is open what the data says now; afterwards what it was decided on. */
function checksOf({ verdict }: RolloutData, { status, decisions }: RolloutRecord): readonly CheckResult[] {
  const decided = decisions.findLast(({ reason }) => (reason.checks?.length ?? 0) > 0)?.reason.checks;
  if (isOpen(status)) return verdict?.checks ?? [];
  const ended = decisions.find(({ phase }) => phase === status)?.reason.checks;
  return ended ?? verdict?.checks ?? decided ?? [];
}
