import type {
  ReplayGap,
  ReplayMilestone,
  ReplayProgress,
  ReplayRuling,
  ReplaySummary,
  ReplayVerdict,
} from '@app/shared';
import type { Screen } from '../terminal.js';
import { countText } from './figures.js';
import { tableLines } from './table.js';

const DOING: Readonly<Record<ReplayProgress['doing'], string>> = {
  verdicts: 'reading verdicts',
  outcomes: 'reading outcomes',
  labels: 'reading labels',
  replaying: 'replaying cuts',
};

export function progressText({ doing, done, total }: ReplayProgress): string {
  return `${DOING[doing]}: ${countText(done)} of ${countText(total)} (${Math.floor((100 * done) / Math.max(1, total))} %)`;
}

export function gapText({ topic, partition, fromMs, text }: ReplayGap): string {
  return `${topic}/${partition} ${text}${fromMs === null ? '' : ` (from ${momentText(fromMs)} on)`}`;
}

interface Run {
  readonly first: ReplayVerdict;
  count: number;
}

/** Verdicts in a row that say the same are one line: there are four in a second. */
export class RulingRuns {
  private readonly runs: Run[] = [];
  private newest = '';

  add(verdict: ReplayVerdict): void {
    const { rollout, step, given, replayed, equal } = verdict;
    const said = (ruling: ReplayRuling | null): unknown => ruling && [ruling.result, ruling.code];
    const key = JSON.stringify([rollout, step, said(given), said(replayed), equal]);
    const run = this.runs.at(-1);
    if (run && key === this.newest) run.count += 1;
    else this.runs.push({ first: verdict, count: 1 });
    this.newest = key;
  }

  lines({ colors }: Screen): string[] {
    if (this.runs.length === 0) return [];
    return tableLines(
      ['FROM', 'ROLLOUT', 'STEP', 'VERDICTS', 'GIVEN', 'REPLAYED'],
      this.runs.map(({ first, count }) => [
        momentText(first.asOf),
        first.rollout,
        String(first.step + 1),
        countText(count),
        rulingText(first.given),
        replayedText(first, colors),
      ]),
    );
  }
}

function replayedText({ replayed, equal }: ReplayVerdict, colors: Screen['colors']): string {
  if (equal === 'bytes') return 'the same';
  return equal === 'ruling' ? 'the same, other figures' : colors.yellow(rulingText(replayed));
}

const rulingText = (ruling: ReplayRuling | null): string =>
  ruling ? `${ruling.result} (${ruling.code})` : 'no verdict';

/** How many verdicts are the same, where they part, and what would have happened when. */
export function summaryLines(summary: ReplaySummary, gaps: number): string[] {
  const { model, verdicts, identical, sameRuling, cuts, otherFile, firstDifference, milestones } = summary;
  const differ = verdicts - identical - sameRuling;
  const counts = [
    `${countText(identical)} identical`,
    ...(sameRuling > 0 ? [`${countText(sameRuling)} with the same result and other figures`] : []),
    ...(differ > 0 ? [`${countText(differ)} with another result`] : []),
  ];
  const rests = otherFile ? ', judged by the other file' : '';
  return [
    '',
    `${model}: ${countText(verdicts)} verdicts in ${countText(cuts)} cuts${rests}: ${counts.join(', ')}`,
    ...engineLines(summary),
    ...(firstDifference
      ? [
          `first difference at ${momentText(firstDifference.asOf)}, cut ${firstDifference.cut}:`,
          `  given     ${firstDifference.given ?? 'no verdict'}`,
          `  replayed  ${firstDifference.replayed ?? 'no verdict'}`,
        ]
      : []),
    ...(firstDifference && gaps > 0 ? ['records are missing, as warned above: that alone may be the difference'] : []),
    ...(milestones.length > 0 ? ['', ...milestoneLines(milestones)] : []),
  ];
}

function engineLines({ engineVersion, givenEngineVersions }: ReplaySummary): string[] {
  const others = givenEngineVersions.filter((version) => version !== engineVersion);
  if (others.length === 0) return [];
  return [`given by engine ${others.join(', ')}, replayed by ${engineVersion}: figures of two engines differ`];
}

function milestoneLines(milestones: readonly ReplayMilestone[]): string[] {
  const when = (ms: number | null): string => (ms === null ? 'never' : momentText(ms));
  return tableLines(
    ['FIRST', 'ROLLOUT', 'STEP', 'GIVEN', 'REPLAYED'],
    milestones.map(({ result, code, rollout, step, givenAt, replayedAt }) => [
      `${result} (${code})`,
      rollout,
      String(step + 1),
      when(givenAt),
      when(replayedAt),
    ]),
  );
}

/** `2026-11-22 14:02:11.250`, in the person's time zone. */
function momentText(ms: number): string {
  const at = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
