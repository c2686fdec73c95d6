import { checkTitle } from '@app/words';
import { type FleetRow, isOpen } from './records.js';
import { type StatusView, statusView } from './status.js';

/** The groups a person looks for in a list of models. */
export const FILTERS = ['all', 'attention', 'open', 'rolled-back', 'promoted', 'stable'] as const;
export type Filter = (typeof FILTERS)[number];
export const SORTS = ['attention', 'name', 'newest', 'weight'] as const;
export type Sort = (typeof SORTS)[number];

/** What is chosen, as it stands in the address. */
export interface FleetQuery {
  readonly filter: Filter;
  readonly sort: Sort;
  readonly text: string;
}

export const FILTER_WORDS: Readonly<Record<Filter, string>> = {
  all: 'All',
  attention: 'Needs a person',
  open: 'In progress',
  'rolled-back': 'Rolled back',
  promoted: 'Promoted',
  stable: 'No rollout yet',
};

export const SORT_WORDS: Readonly<Record<Sort, string>> = {
  attention: 'What needs attention',
  name: 'Name',
  newest: 'Newest decision',
  weight: 'Canary’s weight',
};

export function parseFleetQuery(search: string): FleetQuery {
  const query = new URLSearchParams(search);
  return {
    filter: FILTERS.find((filter) => filter === query.get('show')) ?? 'all',
    sort: SORTS.find((sort) => sort === query.get('sort')) ?? 'attention',
    text: query.get('q') ?? '',
  };
}

/** Empty for what is chosen at first. */
export function fleetSearch({ filter, sort, text }: FleetQuery): string {
  const query = new URLSearchParams();
  if (filter !== 'all') query.set('show', filter);
  if (sort !== 'attention') query.set('sort', sort);
  if (text !== '') query.set('q', text);
  const search = query.toString();
  return search === '' ? '' : `?${search}`;
}

/** The version that was promoted is not the stable one any more. */
const isUndone = ({ rollout, stable }: FleetRow): boolean =>
  rollout?.status === 'promoted' && rollout.canary !== stable;

export function rowStatus(row: FleetRow): StatusView {
  return isUndone(row) ? { tone: 'bad', word: 'Undone', detail: 'after its promotion' } : statusView(row.rollout);
}

/** Since when it is as it is, ms. */
export function rowSince(row: FleetRow): number | null {
  const { rollout, last } = row;
  if (!rollout || isUndone(row)) return last?.at ?? null;
  return rollout.endedAt ?? rollout.pause?.since ?? rollout.held?.since ?? rollout.stepStartedAt;
}

/** A person has to do something, or at least to look. */
export function needsPerson({ rollout, verdict }: FleetRow): boolean {
  if (!rollout || !isOpen(rollout.status)) return false;
  if (rollout.status === 'paused') return rollout.pause?.until === undefined;
  return rollout.held !== null || rollout.status === 'waiting-ready' || verdict?.result === 'fail';
}

export function matches(row: FleetRow, filter: Filter): boolean {
  const { rollout } = row;
  switch (filter) {
    case 'all':
      return true;
    case 'attention':
      return needsPerson(row);
    case 'open':
      return rollout !== null && isOpen(rollout.status);
    case 'rolled-back':
      return rollout?.status === 'rolled-back' || rollout?.status === 'aborted' || isUndone(row);
    case 'promoted':
      return rollout?.status === 'promoted' && !isUndone(row);
    case 'stable':
      return rollout === null;
  }
}

export function filterCounts(rows: readonly FleetRow[]): Readonly<Record<Filter, number>> {
  const counts = Object.fromEntries(FILTERS.map((filter) => [filter, 0])) as Record<Filter, number>;
  for (const row of rows) for (const filter of FILTERS) if (matches(row, filter)) counts[filter]++;
  return counts;
}

export function selectRows(rows: readonly FleetRow[], { filter, sort, text }: FleetQuery): readonly FleetRow[] {
  const wanted = text.trim().toLowerCase();
  const fits = (row: FleetRow): boolean => matches(row, filter) && (wanted === '' || searchText(row).includes(wanted));
  return rows.filter(fits).sort((a, b) => BY[sort](a, b) || byName(a, b));
}

/** Names of models, versions and checks: what people remember. */
function searchText({ model, stable, canary, rollout, verdict }: FleetRow): string {
  const worst = verdict?.worst ? checkTitle(verdict.worst) : '';
  return [model, stable, canary ?? rollout?.canary ?? '', rollout?.rollout ?? '', worst].join(' ').toLowerCase();
}

const byName = (a: FleetRow, b: FleetRow): number => (a.model < b.model ? -1 : a.model > b.model ? 1 : 0);

const BY: Readonly<Record<Sort, (a: FleetRow, b: FleetRow) => number>> = {
  attention: (a, b) => urgency(b) - urgency(a) || newest(b) - newest(a),
  name: byName,
  newest: (a, b) => newest(b) - newest(a),
  weight: (a, b) => canaryWeight(b) - canaryWeight(a),
};

const newest = ({ last }: FleetRow): number => last?.at ?? 0;

export function canaryWeight({ canary, weights }: FleetRow): number {
  return canary === null ? 0 : (weights[canary] ?? 0);
}

/** First what a person has to do, then what is under way, then what ended badly, then the rest. */
function urgency(row: FleetRow): number {
  if (needsPerson(row)) return 3;
  if (row.rollout && isOpen(row.rollout.status)) return 2;
  return matches(row, 'rolled-back') ? 1 : 0;
}

/** `12 models. 1 needs a person, 2 are in progress.` */
export function fleetSummary(rows: readonly FleetRow[]): string {
  const { all, attention, open } = filterCounts(rows);
  const models = all === 1 ? '1 model' : `${all} models`;
  if (open === 0) return `${models}. No rollout is open.`;
  const persons = attention === 0 ? 'nothing needs a person' : `${attention} ${attention === 1 ? 'needs' : 'need'} a person`; // prettier-ignore
  return `${models}. ${open} ${open === 1 ? 'rollout is' : 'rollouts are'} open, ${persons}.`;
}
