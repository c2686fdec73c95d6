import pc from 'picocolors';
import { type Api, checkName, type Decision } from '@app/shared';
import type { Colors } from '../../../cli/src/terminal.js';
import { countText, timeText, valueText, weightsText } from '../../../cli/src/views/figures.js';
import { decisionText, modelLines } from '../../../cli/src/views/model-view.js';
import { tableLines } from '../../../cli/src/views/table.js';
import type { LoadCounts } from './load/messages.js';
import type { RolloutSummary } from './story.js';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const EVIDENCE_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 200;

/** What a person sees. On a terminal one block that moves; elsewhere a line when something happens. */
export class Screen {
  private readonly colors: Colors;
  private readonly moving: boolean;
  private readonly columns: number;
  private block: readonly string[] = [];
  private drawnMs = -Infinity;
  private evidenceMs = 0;
  private decisionsShown = 0;
  private load: { counts: LoadCounts; labelsSent: number } | null = null;

  constructor(
    private readonly output: Output,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.moving = output.isTTY === true && env['TERM'] !== 'dumb';
    this.columns = output.columns ?? 120;
    this.colors = pc.createColors(this.moving && !env['NO_COLOR']);
  }

  /** Lines that stay. */
  say(...lines: string[]): void {
    this.erase();
    this.output.write(lines.map((line) => `${line}\n`).join(''));
    this.draw();
  }

  heading(text: string): void {
    this.say('', this.colors.bold(text));
  }

  showLoad(counts: LoadCounts, labelsSent: number): void {
    this.load = { counts, labelsSent };
  }

  showModel(view: Api['ModelView'], nowMs: number): void {
    this.sayDecisions(view.state.decisions, nowMs);
    if (this.moving) {
      if (nowMs - this.drawnMs < DRAW_EVERY_MS) return;
      this.drawnMs = nowMs;
      this.erase();
      this.block = [...modelLines(view, nowMs, { colors: this.colors, columns: this.columns }), this.loadLine()];
      this.draw();
    } else if (nowMs - this.evidenceMs >= EVIDENCE_EVERY_MS && view.verdict) {
      this.evidenceMs = nowMs;
      this.say(`${timeText(nowMs, nowMs)}   ${evidenceLine(view)}`);
    }
  }

  /** Takes the moving block away: what was said stays. */
  endBlock(): void {
    this.erase();
    this.block = [];
  }

  summary(summaries: readonly RolloutSummary[]): void {
    const rows = summaries.map((s) => [
      s.canary,
      this.resultText(s),
      s.steps.map((weight) => `${Math.round(weight * 100)} %`).join(' -> '),
      `${Math.round(s.durationS)} s`,
      countText(s.predictions),
      String(s.failedPredictions),
      String(s.stickinessViolations),
    ]);
    const head = ['CANARY', 'RESULT', 'TRAFFIC', 'TIME', 'PREDICTIONS', 'FAILED', 'MOVED BACK'];
    const reasons = summaries.map((s) => `${s.canary}  ${s.reason}`);
    this.say('', ...tableLines(head, rows), '', ...reasons);
  }

  private resultText({ outcome }: RolloutSummary): string {
    const text = outcome.replaceAll('-', ' ');
    return outcome === 'promoted' ? this.colors.green(text) : this.colors.red(text);
  }

  private sayDecisions(decisions: readonly Decision[], nowMs: number): void {
    const fresh = decisions.filter(({ sequence }) => sequence > this.decisionsShown);
    if (fresh.length === 0) return;
    this.decisionsShown = fresh.at(-1)!.sequence;
    this.say(
      ...fresh.map((decision) => `${timeText(decision.at, nowMs)} ${this.mark(decision)} ${decisionText(decision)}`),
    );
  }

  private mark({ action }: Decision): string {
    if (action === 'rolled-back' || action === 'aborted') return this.colors.red('x');
    return action === 'promoted' ? this.colors.green('*') : this.colors.cyan('>');
  }

  private loadLine(): string {
    if (!this.load) return '';
    const { counts, labelsSent } = this.load;
    const answered = Object.entries(counts.byVersion).map(([version, n]) => `${version} ${countText(n)}`);
    return `USERS      ${answered.join(' · ')} answers, ${counts.failedPredictions} failed · ${countText(labelsSent)} labels so far`;
  }

  private draw(): void {
    if (this.block.length > 0) this.output.write(this.block.map((line) => `${line}\n`).join(''));
  }

  private erase(): void {
    const rows = this.block.reduce((sum, line) => sum + Math.max(1, Math.ceil(visibleLength(line) / this.columns)), 0);
    if (rows > 0) this.output.write(`\u001b[${rows}F\u001b[J`);
  }
}

/** Without colours, which are control characters. */
const visibleLength = (line: string): number => line.replaceAll(/\u001b\[[0-9;]*m/g, '').length;

/** `v1 90 % · v3 10 %: accuracy 0.804/0.712 (n=412), latency p99 4ms/5ms`: stable/canary. */
function evidenceLine({ state, verdict }: Api['ModelView']): string {
  const figures = (verdict?.checks ?? [])
    .filter((check) => check.canary.value !== null && check.stable?.value != null)
    .toSorted((a, b) => (a.check < b.check ? -1 : 1)) // the verdict has the deciding one first
    .map(
      (check) =>
        `${checkName(check.check)} ${valueText(check.stable!.value, check.unit)} | ${valueText(check.canary.value, check.unit)} (n=${countText(check.canary.n)})`,
    );
  return `${weightsText(state.weights)}   stable | canary: ${figures.join(', ') || 'nothing counted yet'}`;
}
