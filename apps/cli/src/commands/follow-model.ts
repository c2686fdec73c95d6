import type { Api, RolloutState } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';

const POLL_MS = 1000;
/** A controller that restarts is away for some seconds; one that is gone should be told to the person. */
const UNREACHABLE_MS_MAX = 60_000;

export function readModel({ api }: CommandContext, model: string): Promise<Api['ModelView']> {
  return api.call((http) => http.GET('/api/v1/models/{model}', { params: { path: { model } } }));
}

/** A model as it is now, and again every second, until its rollout has ended or Ctrl-C. Outlives a controller's restart. */
export async function* followModel(context: CommandContext, model: string): AsyncGenerator<Api['ModelView']> {
  const { terminal } = context;
  let reachedMs = terminal.clock.monotonicMs();
  let everReached = false;
  while (!terminal.signal.aborted) {
    try {
      const view = await readModel(context, model);
      reachedMs = terminal.clock.monotonicMs();
      everReached = true;
      yield view;
      if (hasEnded(view.state)) return;
    } catch (error) {
      if (terminal.signal.aborted) return;
      const away = error instanceof CliError && error.code === 'unreachable';
      if (!away || !everReached || terminal.clock.monotonicMs() - reachedMs > UNREACHABLE_MS_MAX) throw error;
    }
    await terminal.sleep(POLL_MS);
  }
}

function hasEnded({ rollout }: RolloutState): boolean {
  switch (rollout?.status) {
    case 'waiting-ready':
    case 'progressing':
    case 'paused':
      return false;
    case 'promoted':
    case 'rolled-back':
    case 'aborted':
    case undefined:
      return true;
  }
}
