import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app/app-context.js';
import type { ActionView } from '../domain/actions.js';
import { percentText } from '../domain/figures.js';
import type { ModelState } from '../domain/records.js';
import { sentence } from '../domain/sentence.js';
import { TrafficFields } from './traffic-fields.js';

interface ActionDialogProps {
  readonly action: ActionView;
  readonly state: ModelState;
  readonly onClose: () => void;
}

/** Asks for a reason, and for the model's name where much is at stake; says what the controller answers. */
export function ActionDialog({ action, state, onClose }: ActionDialogProps) {
  const { api, session, tokenName } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [reason, setReason] = useState('');
  const [name, setName] = useState(session.name());
  const [typed, setTyped] = useState('');
  const [weights, setWeights] = useState<Readonly<Record<string, number>>>(state.weights);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  // One key for one dialog: pressing again after a lost answer acts once.
  const [key] = useState(() => crypto.randomUUID());

  // Before the next key is taken: it belongs to the dialog already.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);

  const missing = whatIsMissing({ reason, name, typed, action, model: state.model });
  const send = async (): Promise<void> => {
    if (missing !== null || sending) return setRefusal(missing);
    setSending(true);
    setRefusal(null);
    session.setName(name.trim());
    const order = { model: state.model, action: action.id, reason: reason.trim(), key };
    try {
      await api.act(action.id === 'set-traffic' ? { ...order, weights } : order);
      onClose();
    } catch (error) {
      setRefusal(sentence((error as Error).message));
      setSending(false);
    }
  };

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={`${id}-title`} onClose={onClose}>
      <form
        method="dialog"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2 id={`${id}-title`}>
          {action.label}: {state.model}
        </h2>
        <p>{action.consequence}</p>
        {action.id === 'set-traffic' && (
          <TrafficFields versions={Object.keys(state.versions)} weights={weights} onChange={setWeights} />
        )}
        <label class="field">
          <span>Reason, for those who read the history later</span>
          <textarea
            required
            rows={2}
            maxLength={2000}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>
            {tokenName === null ? 'Your name' : `Your name, beside that of the token (${tokenName})`} (optional)
          </span>
          <input
            type="text"
            maxLength={200}
            autocomplete="name"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        {action.dangerous && (
          <label class="field">
            <span>
              Type <strong>{state.model}</strong> to confirm
            </span>
            <input
              type="text"
              autocomplete="off"
              spellcheck={false}
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        )}
        <div aria-live="assertive">{refusal !== null && <p class="refusal">{refusal}</p>}</div>
        <div class="dialog-end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={action.dangerous ? 'danger solid' : 'primary'}
            aria-disabled={missing !== null || sending}
          >
            {sending ? 'Sending …' : confirmLabel(action, weights)}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function confirmLabel(action: ActionView, weights: Readonly<Record<string, number>>): string {
  if (action.id !== 'set-traffic') return action.label;
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  return `Set ${parts.map(([version, weight]) => `${version} ${percentText(weight)}`).join(', ')}`;
}

interface Filled {
  readonly reason: string;
  readonly name: string;
  readonly typed: string;
  readonly action: ActionView;
  readonly model: string;
}

/** What a header can carry, and what the API takes for a name. */
const NAME = /^[\p{L}\p{N} .@+_:/-]{0,200}$/u;
const LATIN = /^[\u0020-\u00ff]*$/;

function whatIsMissing({ reason, name, typed, action, model }: Filled): string | null {
  if (reason.trim() === '') return 'Say why: the reason stands in the history.';
  if (!NAME.test(name) || !LATIN.test(name)) return 'Write the name in Latin letters, digits, spaces and . @ + _ : / -';
  if (action.dangerous && typed.trim() !== model) return `Type ${model} to confirm.`;
  return null;
}
