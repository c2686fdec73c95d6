import { Presets, SingleBar } from 'cli-progress';
import type { RehearsalProgress, RehearsalRequest } from '@app/shared';
import type { Terminal } from './terminal.js';
import { progressText } from './views/rehearsal-view.js';

/** Without a screen: a line at the first rollout's end, and whenever so much more is done. */
const LINE_EVERY = 0.25;

/** How far a rehearsal is, on standard error: a bar on a screen, else a few lines. */
export class RehearsalBar {
  private readonly bar: SingleBar | null;
  private told = -LINE_EVERY;

  constructor(
    private readonly terminal: Terminal,
    private readonly request: RehearsalRequest,
  ) {
    this.bar = terminal.stderr.isTTY
      ? new SingleBar(
          {
            format: 'rehearsing {bar} {percentage} %  {text}',
            stream: terminal.stderr as NodeJS.WritableStream,
            hideCursor: true,
            clearOnComplete: true,
            // Interrupted, there is still a report to come.
            gracefulExit: false,
          },
          Presets.shades_classic,
        )
      : null;
    this.bar?.start(100, 0, { text: '' });
  }

  update(progress: RehearsalProgress): void {
    const { runs, forMs } = this.request;
    const done = Math.min(1, Math.max(progress.runs / (runs ?? Infinity), progress.elapsedMs / (forMs ?? Infinity)));
    const text = progressText(progress);
    if (this.bar) return this.bar.update(Math.floor(done * 100), { text });
    if (done < this.told + LINE_EVERY) return;
    this.told = Math.floor(done / LINE_EVERY) * LINE_EVERY;
    this.terminal.stderr.write(`${text}\n`);
  }

  close(): void {
    this.bar?.stop();
  }
}
