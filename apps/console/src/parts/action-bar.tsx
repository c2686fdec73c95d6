import { useState } from 'preact/hooks';
import { useApp } from '../app/app-context.js';
import { Link } from '../app/navigation.js';
import { actionsOf, type ActionView } from '../domain/actions.js';
import { isOpen, type ModelState } from '../domain/records.js';
import { newPath } from '../domain/route.js';
import { ActionDialog } from './action-dialog.js';

interface Asked {
  /** As it was when it was asked for: if it cannot be done any more, the controller says why. */
  readonly action: ActionView;
  /** Each asking has a dialog of its own: one that Escape has closed tells of it late, when the next may be open already. */
  readonly key: number;
}

/** What a person can do now. Of what cannot be done now the button says why. */
export function ActionBar({ state }: { readonly state: ModelState }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const open = state.rollout !== undefined && isOpen(state.rollout.status);
  const { role } = useApp();
  const actions = actionsOf(state, role);
  const refused = actions.filter(({ refusal }) => refusal !== null);
  return (
    <div class="actions" role="group" aria-label={`What can be done about ${state.model}`}>
      {!open && (
        <Link to={newPath(state.model)} class="button primary">
          New rollout
        </Link>
      )}
      {actions.map((action, index) => (
        <button
          key={action.id}
          type="button"
          class={action.dangerous ? 'danger' : open && index === 0 ? 'primary' : ''}
          aria-disabled={action.refusal !== null}
          aria-describedby={action.refusal === null ? undefined : `why-${action.id}`}
          onClick={() => action.refusal === null && setAsked((before) => ({ action, key: (before?.key ?? 0) + 1 }))}
        >
          {action.label}
        </button>
      ))}
      {refused.length > 0 && (
        <ul class="whys">
          {refused.map(({ id, label, refusal }) => (
            <li key={id} id={`why-${id}`}>
              {label}: {refusal}
            </li>
          ))}
        </ul>
      )}
      {asked && (
        <ActionDialog
          key={asked.key}
          action={asked.action}
          state={state}
          onClose={() => setAsked((now) => (now === asked ? null : now))}
        />
      )}
    </div>
  );
}
