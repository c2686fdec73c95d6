import { useState } from 'preact/hooks';
import { Link } from '../app/navigation.js';
import { type ActionId, actionsOf } from '../domain/actions.js';
import { isOpen, type ModelState } from '../domain/records.js';
import { newPath } from '../domain/route.js';
import { ActionDialog } from './action-dialog.js';

/** What a person can do now. Of what cannot be done now the button says why. */
export function ActionBar({ state }: { readonly state: ModelState }) {
  const [asked, setAsked] = useState<ActionId | null>(null);
  const open = state.rollout !== undefined && isOpen(state.rollout.status);
  const actions = actionsOf(state);
  const refused = actions.filter(({ refusal }) => refusal !== null);
  const chosen = actions.find(({ id }) => id === asked);
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
          onClick={() => action.refusal === null && setAsked(action.id)}
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
      {chosen && <ActionDialog key={chosen.id} action={chosen} state={state} onClose={() => setAsked(null)} />}
    </div>
  );
}
