import type { ComponentChildren } from 'preact';
import type { FormStep, RolloutForm as Form } from '../domain/rollout-form.js';

interface RolloutFormProps {
  readonly form: Form;
  readonly models: readonly string[];
  readonly onChange: (form: Form) => void;
  readonly onModel: (model: string) => void;
}

/** The fields of a usual rollout; everything else is for the text beside it. */
export function RolloutForm({ form, models, onChange, onModel }: RolloutFormProps) {
  const set = (changed: Partial<Form>): void => onChange({ ...form, ...changed });
  const text = (label: string, field: keyof Form & TextField, more: FieldMore = {}) => (
    <Field label={label} hint={more.hint}>
      <input
        type="text"
        class={more.short ? 'short' : ''}
        inputMode={more.short ? 'decimal' : undefined}
        list={more.list}
        placeholder={more.example}
        autocomplete="off"
        spellcheck={false}
        value={form[field]}
        onInput={(event) => set({ [field]: event.currentTarget.value })}
        onChange={(event) => field === 'model' && onModel(event.currentTarget.value)}
      />
    </Field>
  );
  return (
    <div class="form">
      <fieldset>
        <legend>What is rolled out</legend>
        {text('Model', 'model', { list: 'models', example: 'digits' })}
        <datalist id="models">
          {models.map((model) => (
            <option key={model} value={model} />
          ))}
        </datalist>
        <div class="pair">
          {text('Stable version, which serves now', 'stableVersion')}
          {text('Its address', 'stableUrl', { example: 'http://digits-v1.models:9001' })}
        </div>
        <div class="pair">
          {text('Canary, the version that is tried', 'canaryVersion')}
          {text('Its address', 'canaryUrl', { example: 'http://digits-v2.models:9001' })}
        </div>
        {text('Where an answer holds what was predicted (JSON pointer)', 'pointer', {
          example: '/outputs/0/data/0',
          hint: 'Empty: accuracy is not compared.',
        })}
      </fieldset>
      <Steps steps={form.steps} canary={form.canaryVersion} onChange={(steps) => set({ steps })} />
      <fieldset>
        <legend>Limits</legend>
        <p class="hint">How much worse the canary may be. Empty: not checked.</p>
        <div class="limits">
          {text('Errors, more by', 'errorPoints', { short: true, hint: 'points' })}
          {form.pointer !== '' && text('Accuracy, less by', 'accuracyPoints', { short: true, hint: 'points' })}
          {form.pointer !== '' && text('Labels come within', 'labelsWithin', { short: true, hint: 'e.g. 5m' })}
          {text('Median latency, longer by', 'latencyP50', { short: true, hint: '%' })}
          {text('p99 latency, longer by', 'latencyP99', { short: true, hint: '%' })}
        </div>
        <Field label="When a step’s time is over without a verdict">
          <select
            value={form.onInconclusive}
            onChange={(event) => set({ onInconclusive: event.currentTarget.value as Form['onInconclusive'] })}
          >
            <option value="pause">pause, and let a person decide</option>
            <option value="rollback">roll back</option>
          </select>
        </Field>
      </fieldset>
    </div>
  );
}

type TextField = { [K in keyof Form]: Form[K] extends string ? K : never }[keyof Form];

interface FieldMore {
  readonly short?: boolean;
  readonly list?: string;
  readonly example?: string;
  readonly hint?: string;
}

function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <span class="field-row">
        {children}
        {hint && <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}

interface StepsProps {
  readonly steps: readonly FormStep[];
  readonly canary: string;
  readonly onChange: (steps: readonly FormStep[]) => void;
}

function Steps({ steps, canary, onChange }: StepsProps) {
  const replace = (index: number, step: FormStep): void => onChange(steps.map((one, i) => (i === index ? step : one)));
  return (
    <fieldset>
      <legend>Steps</legend>
      <p class="hint">
        Shares rise, and in the last step {canary || 'the canary'} gets everything: it becomes stable when that step is
        over without an alarm.
      </p>
      <ol class="form-steps">
        {steps.map((step, index) => (
          <li key={index}>
            {step.kind === 'traffic' ? (
              <>
                <label>
                  <span>{canary || 'canary'} gets</span>
                  <input
                    type="text"
                    class="short"
                    inputMode="decimal"
                    value={step.percent}
                    onInput={(event) => replace(index, { ...step, percent: event.currentTarget.value })}
                  />
                  <span>%</span>
                </label>
                <label>
                  <span>for at least</span>
                  <input
                    type="text"
                    class="short"
                    value={step.duration}
                    onInput={(event) => replace(index, { ...step, duration: event.currentTarget.value })}
                  />
                </label>
              </>
            ) : (
              <label>
                <span>Pause for</span>
                <input
                  type="text"
                  class="short"
                  placeholder="a person"
                  value={step.duration}
                  onInput={(event) => replace(index, { ...step, duration: event.currentTarget.value })}
                />
                <span class="hint">empty: until a person approves</span>
              </label>
            )}
            <button
              type="button"
              class="plain"
              aria-label={`Remove step ${index + 1}`}
              onClick={() => onChange(steps.filter((_, i) => i !== index))}
            >
              Remove
            </button>
          </li>
        ))}
      </ol>
      <div class="form-add">
        <button
          type="button"
          onClick={() => onChange(withStep(steps, { kind: 'traffic', percent: '25', duration: '5m' }))}
        >
          Add a share
        </button>
        <button type="button" onClick={() => onChange(withStep(steps, { kind: 'pause', duration: '' }))}>
          Add a pause
        </button>
      </div>
    </fieldset>
  );
}

/** The last step gives the canary everything and stays the last. */
const withStep = (steps: readonly FormStep[], step: FormStep): readonly FormStep[] => [
  ...steps.slice(0, -1),
  step,
  ...steps.slice(-1),
];
