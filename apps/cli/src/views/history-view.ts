import { checkTitle, type Decision } from '@app/shared';
import { timeText, weightsText } from './figures.js';
import { tableLines } from './table.js';

/** Every decision on a model, oldest first. */
export function historyLines(decisions: readonly Decision[], nowMs: number, columns: number | undefined): string[] {
  if (decisions.length === 0) return ['nothing has been decided about this model yet'];
  return tableLines(
    ['TIME', 'STEP', 'ACTION', 'TRAFFIC', 'METRICS', 'DECISION', 'RESULT'],
    decisions.map((decision) => [
      timeText(decision.at, nowMs),
      decision.step === undefined ? '-' : String(decision.step + 1),
      decision.action,
      trafficText(decision),
      metricsText(decision),
      decision.reason.text,
      (decision.phase ?? '-').replaceAll('-', ' '),
    ]),
    { columns, wide: 5 },
  );
}

function trafficText({ from, to }: Decision): string {
  const versions = new Set([...Object.keys(from), ...Object.keys(to)]);
  const moved = [...versions].some((version) => (from[version] ?? 0) !== (to[version] ?? 0));
  const positive = Object.fromEntries(Object.entries(to).filter(([, weight]) => weight > 0));
  return moved ? `-> ${weightsText(positive)}` : weightsText(positive);
}

/** `4 passed`, `latency p99 failed`, `none failed`; `-` for decisions that rest on no figures. */
function metricsText({ reason }: Decision): string {
  const checks = reason.checks ?? [];
  if (checks.length === 0) return '-';
  const failed = checks.filter((check) => check.result === 'fail');
  if (failed.length > 0) return `${failed.map(checkTitle).join(', ')} failed`;
  const gating = checks.filter((check) => check.gating);
  return gating.length > 0 && gating.every((check) => check.result === 'pass')
    ? `${gating.length} passed`
    : 'none failed';
}
