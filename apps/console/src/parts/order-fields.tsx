import type { ActionView } from '../domain/actions.js';
import type { Order } from '../domain/order.js';
import type { ModelState } from '../domain/records.js';
import { TrafficFields } from './traffic-fields.js';

interface OrderFieldsProps {
  readonly action: ActionView;
  readonly state: ModelState;
  readonly order: Order;
  readonly tokenName: string | null;
  readonly onChange: (order: Order) => void;
}

/** What an action asks for. */
export function OrderFields({ action, state, order, tokenName, onChange }: OrderFieldsProps) {
  const set = (changed: Partial<Order>): void => onChange({ ...order, ...changed });
  return (
    <>
      {action.id === 'set-traffic' && (
        <TrafficFields
          versions={Object.keys(state.versions)}
          weights={order.weights}
          onChange={(weights) => set({ weights })}
        />
      )}
      <label class="field">
        <span>Reason, for those who read the history later</span>
        <textarea
          required
          rows={2}
          maxLength={2000}
          value={order.reason}
          onInput={(event) => set({ reason: event.currentTarget.value })}
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
          value={order.name}
          onInput={(event) => set({ name: event.currentTarget.value })}
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
            value={order.typed}
            onInput={(event) => set({ typed: event.currentTarget.value })}
          />
        </label>
      )}
    </>
  );
}
