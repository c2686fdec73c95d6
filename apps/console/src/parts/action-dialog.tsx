import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.js';
import { randomKey } from '../api/random-key.js';
import { useApp } from '../app/app-context.js';
import type { ActionView } from '../domain/actions.js';
import { percentText } from '../domain/figures.js';
import { missingIn, type Order } from '../domain/order.js';
import type { ModelState } from '../domain/records.js';
import { sentence } from '../domain/sentence.js';
import { OrderFields } from './order-fields.js';

interface ActionDialogProps {
  readonly action: ActionView;
  readonly state: ModelState;
  readonly onClose: () => void;
}

/** Asks for a reason, and for the model's name where much is at stake; says what the controller answers. */
export function ActionDialog({ action, state, onClose }: ActionDialogProps) {
  const { session, tokenName } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [order, setOrder] = useState<Order>({ reason: '', name: session.name(), typed: '', weights: state.weights });
  const { refusal, sending, send } = useSending({ action, state, order, onDone: onClose });

  // Before the next key is taken: it belongs to the dialog already.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);

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
        <OrderFields action={action} state={state} order={order} tokenName={tokenName} onChange={setOrder} />
        <div aria-live="assertive">{refusal !== null && <p class="refusal">{refusal}</p>}</div>
        <div class="dialog-end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={action.dangerous ? 'danger solid' : 'primary'}
            aria-disabled={sending || missingIn(order, action, state.model) !== null}
          >
            {sending ? 'Sending …' : confirmLabel(action, order)}
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface Sending {
  readonly action: ActionView;
  readonly state: ModelState;
  readonly order: Order;
  readonly onDone: () => void;
}

function useSending({ action, state, order, onDone }: Sending) {
  const { api, session } = useApp();
  const [refusal, setRefusal] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  // The same key again after a lost answer acts once; what was refused may be asked anew.
  const key = useRef(randomKey());
  const send = async (): Promise<void> => {
    const missing = missingIn(order, action, state.model);
    if (missing !== null || sending) return setRefusal(missing);
    setSending(true);
    setRefusal(null);
    session.setName(order.name.trim());
    const asked = { model: state.model, action: action.id, reason: order.reason.trim(), key: key.current };
    try {
      await api.act(action.id === 'set-traffic' ? { ...asked, weights: order.weights } : asked);
      onDone();
    } catch (error) {
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (refused) key.current = randomKey();
      setRefusal(sentence((error as Error).message));
      setSending(false);
    }
  };
  return { refusal, sending, send };
}

function confirmLabel(action: ActionView, { weights }: Order): string {
  if (action.id !== 'set-traffic') return action.label;
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  return `Set ${parts.map(([version, weight]) => `${version} ${percentText(weight)}`).join(', ')}`;
}
