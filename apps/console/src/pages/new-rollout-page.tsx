import { useEffect, useState } from 'preact/hooks';
import { randomKey } from '../api/random-key.js';
import { useApp, useTitle } from '../app/app-context.js';
import { Link, navigate } from '../app/navigation.js';
import type { ModelState } from '../domain/records.js';
import { isOpen } from '../domain/records.js';
import { fileOf, formOf, type RolloutForm as Form } from '../domain/rollout-form.js';
import { modelPath, newPath } from '../domain/route.js';
import { sentence } from '../domain/sentence.js';
import { useFileCheck } from '../live/file-check.js';
import { FileEditor } from '../parts/file-editor.js';
import { ForecastPanel } from '../parts/forecast-panel.js';
import { Icon } from '../parts/icon.js';
import { RolloutForm } from '../parts/rollout-form.js';

/** A rollout from fields or from a file, checked while it is written. */
export function NewRolloutPage({ model }: { readonly model: string | null }) {
  const { api, readOnly } = useApp();
  const [models, setModels] = useState<readonly string[]>([]);
  const [known, setKnown] = useState<ModelState | null>(null);
  const [form, setForm] = useState<Form>(() => ({ ...formOf(null), model: model ?? '' }));
  const [text, setText] = useState(() => (model === null ? '' : fileOf(form)));
  /** The text was changed by hand, so the fields say nothing of it any more. */
  const [byHand, setByHand] = useState(false);
  const [rate, setRate] = useState('');
  useTitle('New rollout');
  const perSecond = rate.trim() === '' || !(Number(rate) > 0) ? null : Number(rate);
  const check = useFileCheck(api, text, perSecond);

  useEffect(() => {
    api.fleet().then(
      ({ models: rows }) => setModels(rows.map((row) => row.model)),
      () => undefined,
    ); // a help alone
  }, [api]);
  useEffect(() => {
    let over = false;
    if (model === null) return;
    api.model(model).then(
      ({ state }) => {
        if (over) return;
        setKnown(state);
        setForm(formOf(state));
        setText(fileOf(formOf(state)));
      },
      () => undefined, // a model that is not known yet
    );
    return () => void (over = true);
  }, [api, model]);

  if (readOnly) return <ReadOnly />;
  const change = (changed: Form): void => {
    setForm(changed);
    setText(fileOf(changed));
  };
  const open = known?.rollout && isOpen(known.rollout.status) ? known.rollout.rollout : null;
  return (
    <div class="page new">
      <div class="page-head">
        <div>
          <h1>New rollout</h1>
          <p class="lead">
            Fill in the fields or paste a rollout file. It is checked while you write; nothing happens before you start
            it.
          </p>
        </div>
      </div>
      {open && model && (
        <p class="banner tone-wait">
          <Icon name="wait" />
          <span>
            {open} is open. Promote or abort it on the page of <Link to={modelPath(model)}>{model}</Link> first.
          </span>
        </p>
      )}
      <div class="columns new-columns">
        <section class="card" aria-labelledby="fields">
          <h2 id="fields">Fields</h2>
          {byHand ? (
            <p class="quiet">
              The file was changed by hand, and is what counts.{' '}
              <button
                type="button"
                class="plain"
                onClick={() => {
                  setByHand(false);
                  setText(fileOf(form));
                }}
              >
                Write it from the fields again
              </button>
            </p>
          ) : (
            <RolloutForm
              form={form}
              models={models}
              onChange={change}
              onModel={(chosen) => models.includes(chosen) && navigate(newPath(chosen), { replace: true })}
            />
          )}
        </section>
        <div class="column-main">
          <section class="card" aria-labelledby="file">
            <h2 id="file">File</h2>
            <FileEditor
              text={text}
              findings={check.kind === 'refused' || check.kind === 'right' ? check.findings : []}
              onChange={(changed) => {
                setText(changed);
                setByHand(true);
              }}
            />
            <p class="check-state" role="status">
              {stateText(check.kind)}
            </p>
          </section>
          <ForecastPanel check={check} rate={rate} onRate={setRate} />
          {check.kind === 'right' && (
            <Start
              file={text}
              model={check.spec.model}
              changed={check.changed}
              isRollout={check.spec.canary !== undefined}
            />
          )}
        </div>
      </div>
    </div>
  );
}

function stateText(kind: string): string {
  if (kind === 'right') return 'The file is right.';
  if (kind === 'refused') return 'The file cannot be carried out yet.';
  return kind === 'checking' ? 'Checking …' : '';
}

interface StartProps {
  readonly file: string;
  readonly model: string;
  readonly changed: boolean;
  readonly isRollout: boolean;
}

function Start({ file, model, changed, isRollout }: StartProps) {
  const { api } = useApp();
  const [reason, setReason] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const start = async (): Promise<void> => {
    setSending(true);
    setRefusal(null);
    try {
      await api.apply(file, {
        dryRun: false,
        predictionsPerSecond: null,
        reason: reason.trim(),
        key: randomKey(),
      });
      navigate(modelPath(model));
    } catch (error) {
      setRefusal(sentence((error as Error).message));
      setSending(false);
    }
  };
  if (!changed) return <p class="quiet">{model} stands like that already: there is nothing to do.</p>;
  return (
    <form
      class="card start"
      onSubmit={(event) => {
        event.preventDefault();
        if (!sending) void start();
      }}
    >
      <label class="field">
        <span>Reason, for those who read the history later (optional)</span>
        <input type="text" maxLength={2000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <div aria-live="assertive">{refusal && <p class="refusal">{refusal}</p>}</div>
      <button type="submit" class="primary" aria-disabled={sending}>
        {sending ? 'Sending …' : isRollout ? `Start the rollout of ${model}` : `Register ${model}`}
      </button>
    </form>
  );
}

function ReadOnly() {
  return (
    <div class="empty">
      <h1>Looking only</h1>
      <p>This console offers no actions. Begin a rollout with canaryctl, or on a console that is not read-only.</p>
    </div>
  );
}
