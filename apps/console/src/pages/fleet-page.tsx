import { useEffect, useMemo, useState } from 'preact/hooks';
import { useApp, useNow, useTitle } from '../app/app-context.js';
import { Link, navigate } from '../app/navigation.js';
import {
  FILTER_WORDS,
  filterCounts,
  FILTERS,
  type FleetQuery,
  fleetSearch,
  fleetSummary,
  parseFleetQuery,
  selectRows,
  type Sort,
  SORT_WORDS,
  SORTS,
} from '../domain/fleet.js';
import type { FleetRow } from '../domain/records.js';
import { fleetPath, newPath } from '../domain/route.js';
import { FleetSource } from '../live/fleet-source.js';
import { useStore } from '../live/store.js';
import { FleetList } from '../parts/fleet-list.js';
import { FreshnessBanner, LiveMark } from '../parts/live-mark.js';

const NOW_EVERY_MS = 10_000;

/** Every model in one line. */
export function FleetPage({ search }: { readonly search: string }) {
  const { api, session } = useApp();
  const source = useMemo(() => new FleetSource(api, session), [api, session]);
  useEffect(() => () => source.close(), [source]);
  useTitle('Models');
  const rows = useStore(source.rows);
  return (
    <div class="page fleet">
      <div class="page-head">
        <div>
          <h1>Models</h1>
          <p class="lead">{rows ? fleetSummary(rows) : 'Loading …'}</p>
        </div>
        <LiveMark live={source.live} />
      </div>
      <FreshnessBanner live={source.live} />
      {rows && (rows.length === 0 ? <NoModels /> : <Selected rows={rows} query={parseFleetQuery(search)} />)}
    </div>
  );
}

function Selected({ rows, query }: { readonly rows: readonly FleetRow[]; readonly query: FleetQuery }) {
  const nowMs = useNow(NOW_EVERY_MS);
  const [text, setText] = useState(query.text);
  const choose = (chosen: Partial<FleetQuery>): void =>
    navigate(fleetPath(fleetSearch({ ...query, ...chosen })), { replace: true });
  const counts = filterCounts(rows);
  const selected = selectRows(rows, query);
  return (
    <>
      <div class="fleet-tools">
        <div class="filters" role="group" aria-label="Show">
          {FILTERS.map((filter) => (
            <button
              key={filter}
              type="button"
              class="chip"
              aria-pressed={query.filter === filter}
              onClick={() => choose({ filter })}
            >
              {FILTER_WORDS[filter]} <span class="count">{counts[filter]}</span>
            </button>
          ))}
        </div>
        <label class="search">
          <span class="unseen">Search for a model, version or check</span>
          <input
            type="search"
            placeholder="Model, version or check"
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              choose({ text: event.currentTarget.value });
            }}
          />
        </label>
        <label class="sort">
          <span>Sorted by</span>
          <select value={query.sort} onChange={(event) => choose({ sort: event.currentTarget.value as Sort })}>
            {SORTS.map((sort) => (
              <option key={sort} value={sort}>
                {SORT_WORDS[sort]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {selected.length === 0 ? (
        <div class="empty">
          <h2>No model fits</h2>
          <p>
            None of {rows.length} models is like that.{' '}
            <button
              type="button"
              class="plain"
              onClick={() => {
                setText('');
                choose({ filter: 'all', text: '' });
              }}
            >
              Show all
            </button>
          </p>
        </div>
      ) : (
        <FleetList rows={selected} nowMs={nowMs} />
      )}
    </>
  );
}

function NoModels() {
  const { readOnly } = useApp();
  return (
    <div class="empty">
      <h2>No model is known yet</h2>
      <p>
        A model is known once its stable version is registered: <code>canaryctl apply -f register.yaml</code>
        {!readOnly && (
          <>
            , or <Link to={newPath()}>write the file here</Link>
          </>
        )}
        . Send its predictions through the router then, and its first rollout can begin.
      </p>
    </div>
  );
}
