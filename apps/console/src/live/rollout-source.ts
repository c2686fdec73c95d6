import { ApiError } from '../api/api-error.js';
import type { ControllerApi } from '../api/controller-api.js';
import type { Session } from '../api/session.js';
import type {
  Decision,
  ModelState,
  ModelWindow,
  RolloutLine,
  RolloutRecord,
  Verdict,
  VerdictSeries,
} from '../domain/records.js';
import { isOpen } from '../domain/records.js';
import { mergeDecisions } from '../domain/timeline.js';
import { withVerdict } from '../domain/verdict-series.js';
import { mergeWindows, windowsFor } from '../domain/windows.js';
import { LiveSource } from './live-source.js';
import { Store } from './store.js';

/** What a rollout's page shows. */
export interface RolloutData {
  readonly state: ModelState;
  /** The rollout that is shown; null: the model has had none. */
  readonly record: RolloutRecord | null;
  /** It is the model's present (or last) one. */
  readonly isPresent: boolean;
  readonly verdict: Verdict | null;
  readonly series: VerdictSeries | null;
  readonly windows: readonly ModelWindow[];
  /** What could not be had, in words; the rest is shown all the same. */
  readonly missing: readonly string[];
  readonly others: readonly RolloutLine[];
}

export type RolloutPageState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'absent'; readonly text: string }
  | { readonly kind: 'shown'; readonly data: RolloutData };

const WINDOWS_EVERY_MS = 10_000;
/** Before a rollout begins: how it was. */
const BEFORE_MS = 60_000;
/** After its end windows still fill: labels come late. */
const AFTER_MS = 120_000;
/** How far back windows are read again. */
const READ_AGAIN_MS = 600_000;
/** Verdicts come four times a second; a page is not read that fast. */
const DRAWN_EVERY_MS = 500;

/** A model and one of its rollouts, kept fresh. */
export class RolloutSource {
  readonly page = new Store<RolloutPageState>({ kind: 'loading' });
  readonly live: LiveSource;
  private readonly windowsTimer: ReturnType<typeof setInterval>;
  private verdictsTimer: ReturnType<typeof setTimeout> | undefined;
  private newVerdicts: Verdict[] = [];
  private resolution: '10s' | '1m' | null = null;

  constructor(
    private readonly api: ControllerApi,
    session: Session,
    private readonly shown: { readonly model: string; readonly rollout: string | null },
  ) {
    this.live = new LiveSource({
      session,
      path: `/api/v1/events?model=${encodeURIComponent(shown.model)}`,
      load: () => this.load(),
      onEvent: (event, data) => this.tell(event, data),
    });
    this.windowsTimer = setInterval(() => void this.refreshWindows(), WINDOWS_EVERY_MS);
  }

  close(): void {
    clearInterval(this.windowsTimer);
    clearTimeout(this.verdictsTimer);
    this.live.close();
  }

  private async load(): Promise<void> {
    const { model } = this.shown;
    try {
      const view = await this.api.model(model);
      const rollout = this.shown.rollout ?? view.state.rollout?.rollout ?? null;
      const [record, others] = await Promise.all([
        rollout === null ? null : this.api.rollout(model, rollout),
        this.api.rollouts(model),
      ]);
      const isPresent = rollout === (view.state.rollout?.rollout ?? null);
      const base = { state: view.state, record, isPresent, verdict: isPresent ? view.verdict : null, others };
      this.page.set({ kind: 'shown', data: { ...base, ...(await this.history(record)) } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.page.set({ kind: 'absent', text: error.message });
    }
  }

  /** What the stores have of a rollout; without them the page has its decisions. */
  private async history(record: RolloutRecord | null): Promise<Pick<RolloutData, 'series' | 'windows' | 'missing'>> {
    if (!record) return { series: null, windows: [], missing: [] };
    const missing: string[] = [];
    const tell = (error: unknown): void => void missing.push((error as Error).message);
    const [series, windows] = await Promise.all([
      this.api.verdicts(this.shown.model, record.rollout).catch((error: unknown) => (tell(error), null)),
      this.readWindows(record).catch((error: unknown) => (tell(error), [])),
    ]);
    return { series, windows, missing };
  }

  /** From `sinceMs` on; all of them where they are kept in another resolution by now. */
  private async readWindows(record: RolloutRecord, sinceMs = 0): Promise<readonly ModelWindow[]> {
    const nowMs = Date.now();
    const toMs = record.endedAt === null ? nowMs : record.endedAt + AFTER_MS;
    const wanted = windowsFor(Math.max(0, record.startedAt - BEFORE_MS), toMs, nowMs);
    if (!wanted) return [];
    const { resolution } = wanted;
    const from = resolution === this.resolution ? Math.max(wanted.fromMs, Math.min(sinceMs, toMs)) : wanted.fromMs;
    this.resolution = resolution;
    return this.api.windows(this.shown.model, { resolution, from, to: toMs });
  }

  private async refreshWindows(): Promise<void> {
    const page = this.page.get();
    if (page.kind !== 'shown' || document.visibilityState === 'hidden') return;
    const { record } = page.data;
    if (!record || (record.endedAt !== null && Date.now() > record.endedAt + 2 * AFTER_MS)) return;
    const before = this.resolution;
    try {
      // Older ones change too, but hardly: labels come late.
      const read = await this.readWindows(record, Date.now() - READ_AGAIN_MS);
      this.change((data) => {
        const known = this.resolution === before ? data.windows : [];
        return { ...data, windows: mergeWindows(known, read, record.startedAt - BEFORE_MS) };
      });
    } catch {
      // What is shown stays; the connection's own state tells that it is away.
    }
  }

  private tell(event: string, data: unknown): void {
    if (event === 'decision') this.onDecision(data as Decision);
    if (event === 'verdict') this.onVerdict(data as Verdict);
    if (event === 'state' && data !== null) this.onState(data as ModelState);
  }

  private onDecision(decision: Decision): void {
    this.change((data) => {
      const state = { ...data.state, decisions: [...mergeDecisions(data.state.decisions, [decision])] };
      if (!data.record || decision.rollout !== data.record.rollout) return { ...data, state };
      return {
        ...data,
        state,
        record: { ...data.record, decisions: [...mergeDecisions(data.record.decisions, [decision])] },
      };
    });
  }

  private onVerdict(verdict: Verdict): void {
    this.newVerdicts.push(verdict);
    this.verdictsTimer ??= setTimeout(() => {
      this.verdictsTimer = undefined;
      const verdicts = this.newVerdicts.splice(0);
      this.change((data) => verdicts.reduce(withNewVerdict, data));
    }, DRAWN_EVERY_MS);
  }

  private onState(state: ModelState): void {
    const page = this.page.get();
    const known = page.kind === 'shown' ? page.data : null;
    if (!known || state.sequence < known.state.sequence) return;
    // Another rollout has begun, or the first one: its page is another one.
    if (state.rollout?.rollout !== known.state.rollout?.rollout) return void this.load().catch(() => undefined);
    this.change((data) => ({
      ...data,
      state: { ...state, decisions: data.state.decisions },
      record: data.isPresent && data.record && state.rollout ? recordOf(state.rollout, data.record) : data.record,
    }));
  }

  private change(to: (data: RolloutData) => RolloutData): void {
    const page = this.page.get();
    if (page.kind !== 'shown') return;
    const data = to(page.data);
    if (data !== page.data) this.page.set({ kind: 'shown', data });
  }
}

function withNewVerdict(data: RolloutData, verdict: Verdict): RolloutData {
  if (verdict.rollout !== data.record?.rollout || verdict.asOf < (data.verdict?.asOf ?? 0)) return data;
  return { ...data, verdict, series: data.series && withVerdict(data.series, verdict) };
}

function recordOf(progress: NonNullable<ModelState['rollout']>, { decisions }: RolloutRecord): RolloutRecord {
  const { rollout, status, spec, stable, canary, step, startedAt, endedAt } = progress;
  return {
    rollout,
    status,
    spec,
    stable,
    canary,
    step,
    startedAt,
    endedAt: isOpen(status) ? null : (endedAt ?? null),
    decisions,
  };
}
