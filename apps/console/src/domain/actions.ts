import type { Api } from '@app/api';
import { isOpen, type ModelState } from './records.js';

export type ActionId = 'pause' | 'resume' | 'promote' | 'promote-full' | 'abort' | 'retry' | 'undo' | 'set-traffic';
export type Role = Api['Me']['role'];

export interface ActionView {
  readonly id: ActionId;
  readonly label: string;
  /** What it will do, in this very state; what the dialog says. */
  readonly consequence: string;
  /** Confirmed by typing the model's name. */
  readonly dangerous: boolean;
  /** Null: it can be done now; else why not, and what to do instead. */
  readonly refusal: string | null;
}

/** What the API asks for; everything else needs `operate`. */
const NEED_ADMIN: ReadonlySet<ActionId> = new Set(['promote-full', 'set-traffic']);

/** What can be done about a model, and of what cannot, why. The controller has the last word. */
export function actionsOf(state: ModelState, role: Role): readonly ActionView[] {
  const { rollout } = state;
  const open = rollout && isOpen(rollout.status) ? rollout : null;
  const actions = open ? openActions(state, open) : closedActions(state);
  return actions.map((action) =>
    role !== 'admin' && NEED_ADMIN.has(action.id)
      ? { ...action, refusal: `This needs the role admin; yours is ${role}.` }
      : action,
  );
}

function openActions(state: ModelState, rollout: NonNullable<ModelState['rollout']>): readonly ActionView[] {
  const { canary, stable, step, spec, status } = rollout;
  const notReady = status === 'waiting-ready' ? `${canary} has not answered yet that it is ready.` : null;
  const untilPerson = status === 'paused' && rollout.pause?.until === undefined;
  const isLast = step + 1 >= spec.steps.length;
  const next = isLast ? `${canary} becomes stable and keeps all traffic.` : `The rollout goes on to step ${step + 2} of ${spec.steps.length} now.`; // prettier-ignore
  return [
    {
      id: 'promote',
      label: isLast ? `Promote ${canary}` : 'Promote to next step',
      consequence: `The verdict on this step is not waited for. ${next}`,
      dangerous: false,
      refusal: notReady,
    },
    status === 'paused'
      ? {
          id: 'resume',
          label: 'Resume',
          consequence: 'The rollout goes on from here by itself.',
          dangerous: false,
          refusal: notReady,
        }
      : {
          id: 'pause',
          label: 'Pause',
          consequence:
            'The traffic stays as it is until somebody resumes. The checks stay on: a failing canary is still rolled back.',
          dangerous: false,
          refusal: notReady ?? (untilPerson ? 'It is paused already.' : null),
        },
    {
      id: 'promote-full',
      label: 'Promote fully',
      consequence: `All remaining steps are skipped: ${canary} becomes stable and gets all traffic at once.`,
      dangerous: true,
      refusal: notReady,
    },
    {
      id: 'abort',
      label: 'Abort',
      consequence: `The rollout ends for good: ${stable} gets all traffic at once.`,
      dangerous: true,
      refusal: null,
    },
    setTraffic(`${rollout.rollout} decides on the traffic while it is open; abort or promote it first.`),
  ];
}

function closedActions(state: ModelState): readonly ActionView[] {
  switch (state.rollout?.status) {
    case 'rolled-back':
    case 'aborted':
      return [retry(state.rollout.canary, state.rollout.rollout), setTraffic(null)];
    case 'promoted':
      return [undo(state), setTraffic(null)];
    default:
      return [setTraffic(null)];
  }
}

const retry = (canary: string, rollout: string): ActionView => ({
  id: 'retry',
  label: 'Try again',
  consequence: `A new rollout of ${canary} begins by the same file as ${rollout}, from its first step.`,
  dangerous: false,
  refusal: null,
});

function undo({ rollout, stable, versions }: ModelState): ActionView {
  const consequence = rollout
    ? `${rollout.stable} becomes stable again and gets all traffic at once; ${rollout.canary} gets none.`
    : '';
  const undone = !rollout || stable !== rollout.canary || !versions[rollout.stable];
  const refusal = undone ? `${rollout?.rollout ?? 'The last rollout'} has been undone already.` : null;
  return { id: 'undo', label: 'Undo promotion', consequence, dangerous: true, refusal };
}

const setTraffic = (refusal: string | null): ActionView => ({
  id: 'set-traffic',
  label: 'Set traffic',
  consequence: 'Sets the weights by hand. Nothing is compared and nothing is rolled back while no rollout is open.',
  dangerous: true,
  refusal,
});
