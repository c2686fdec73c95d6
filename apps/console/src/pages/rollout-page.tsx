import { useEffect, useMemo } from 'preact/hooks';
import { useApp, useNow, useTitle } from '../app/app-context.js';
import { Link } from '../app/navigation.js';
import { verdictBanner } from '../domain/freshness.js';
import { fleetPath, modelPath, newPath, rolloutPath } from '../domain/route.js';
import { type RolloutData, RolloutSource } from '../live/rollout-source.js';
import { useStore } from '../live/store.js';
import { ActionBar } from '../parts/action-bar.js';
import { FreshnessBanner, LiveMark } from '../parts/live-mark.js';
import { OtherRollouts } from '../parts/other-rollouts.js';
import { RolloutBody } from '../parts/rollout-body.js';
import { RolloutHeadline } from '../parts/rollout-headline.js';

/** A model and its open rollout, its last one, or one of long ago. */
export function RolloutPage({ model, rollout }: { readonly model: string; readonly rollout: string | null }) {
  const { api, session } = useApp();
  const source = useMemo(() => new RolloutSource(api, session, { model, rollout }), [api, session, model, rollout]);
  useEffect(() => () => source.close(), [source]);
  const page = useStore(source.page);
  useTitle(rollout ?? model);
  const data = page.kind === 'shown' ? page.data : null;
  return (
    <div class="page rollout">
      <nav class="crumbs" aria-label="Where this is">
        <Link to={fleetPath()}>Models</Link>
        {rollout !== null && <Link to={modelPath(model)}>{model}</Link>}
      </nav>
      <div class="page-head">
        <h1>{headingOf(model, rollout, data)}</h1>
        <LiveMark live={source.live} />
      </div>
      <Freshness source={source} data={data} />
      {page.kind === 'loading' && <p class="quiet">Loading …</p>}
      {page.kind === 'absent' && <Absent model={model} text={page.text} />}
      {data && <Shown data={data} fixed={rollout !== null} />}
    </div>
  );
}

function headingOf(model: string, rollout: string | null, data: RolloutData | null) {
  const { stable, canary, rollout: shown } = data?.record ?? {};
  return (
    <>
      {rollout ?? model}
      {stable && canary && (
        <span class="versus">
          {rollout === null && <span class="against">{shown}: </span>}
          <span class="key key-canary" /> {canary} <span class="against">against</span> <span class="key key-stable" />{' '}
          {stable}
        </span>
      )}
    </>
  );
}

function Freshness({ source, data }: { readonly source: RolloutSource; readonly data: RolloutData | null }) {
  const present = data?.isPresent ? (data.state.rollout ?? null) : null;
  return <FreshnessBanner live={source.live} more={(nowMs) => verdictBanner(present, data?.verdict ?? null, nowMs)} />;
}

function Shown({ data, fixed }: { readonly data: RolloutData; readonly fixed: boolean }) {
  const { readOnly } = useApp();
  const nowMs = useNow();
  const { state, record, isPresent, others, missing } = data;
  return (
    <>
      {record ? (
        <RolloutHeadline data={data} record={record} nowMs={nowMs} />
      ) : (
        <div class="empty">
          <h2>No rollout yet</h2>
          <p>
            {state.stable} serves all predictions of {state.model}. When a new version is ready,{' '}
            {readOnly ? 'begin a rollout with canaryctl apply' : <Link to={newPath(state.model)}>begin a rollout</Link>}
            .
          </p>
        </div>
      )}
      {!readOnly && isPresent && <ActionBar state={state} />}
      {!isPresent && (
        <p class="note-block">
          This rollout is over, and its page stays as it is. What can be done is on the page of{' '}
          <Link to={modelPath(state.model)}>{state.model}</Link>.
        </p>
      )}
      {missing.length > 0 && (
        <p class="banner tone-wait" role="status">
          Some of the history cannot be shown now: {missing.join('; ')}.
        </p>
      )}
      {record && <RolloutBody data={data} record={record} nowMs={nowMs} />}
      <OtherRollouts model={state.model} lines={others} shown={record?.rollout ?? null} nowMs={nowMs} />
      <p class="print-foot">
        {fixed || !record ? location.href : location.origin + rolloutPath(state.model, record.rollout)}, printed{' '}
        {new Date(nowMs).toISOString()}
      </p>
    </>
  );
}

function Absent({ model, text }: { readonly model: string; readonly text: string }) {
  const { readOnly } = useApp();
  return (
    <div class="empty">
      <h2>Nothing is known here of that</h2>
      <p>{text}.</p>
      {!readOnly && (
        <p>
          <Link to={newPath(model)}>Write a rollout file</Link>, or look at <Link to={fleetPath()}>all models</Link>.
        </p>
      )}
    </div>
  );
}
