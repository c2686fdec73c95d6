import { type Api, checkTitle, worstCheck } from '@app/shared';
import type { Screen } from '../terminal.js';
import { percentText } from './figures.js';
import { decisionText, statusText } from './model-view.js';
import { tableLines } from './table.js';

/** One line a model: status, which version gives way to which, the worst check, the last reason. */
export function listLines(views: readonly Api['ModelView'][], nowMs: number, { colors, columns }: Screen): string[] {
  if (views.length === 0) return ['no models yet: apply a rollout file with canaryctl apply -f rollout.yaml'];
  const rows = views.map((view) => {
    const { state, verdict } = view;
    const arms = state.canary ? `${state.stable} -> ${state.canary}` : state.stable;
    const weight = state.canary ? `${percentText(state.weights[state.canary] ?? 0)} %` : '';
    const worst = worstCheck(verdict?.checks ?? []);
    const last = state.decisions.at(-1);
    return [
      state.model,
      statusText(state, nowMs, colors),
      arms,
      weight,
      worst ? `${checkTitle(worst)} ${worst.result}` : '-',
      last ? decisionText(last) : '',
    ];
  });
  return tableLines(['NAME', 'STATUS', 'VERSIONS', 'WEIGHT', 'WORST CHECK', 'LAST'], rows, { columns, wide: 5 });
}
