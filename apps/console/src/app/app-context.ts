import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { ControllerApi } from '../api/controller-api.js';
import type { Session } from '../api/session.js';
import type { Role } from '../domain/actions.js';

/** What every page may ask for. */
export interface AppContext {
  readonly api: ControllerApi;
  readonly session: Session;
  /** No actions are offered: the console was started so, or this token may only look. */
  readonly readOnly: boolean;
  readonly role: Role;
  /** Of the token; null where none is asked for. */
  readonly tokenName: string | null;
  /** The controller's clock minus this machine's, ms. */
  readonly clockOffsetMs: number;
}

export const AppContext = createContext<AppContext | null>(null);

export function useApp(): AppContext {
  const app = useContext(AppContext);
  if (!app) throw new Error('used outside of the app');
  return app;
}

/** The controller's time, again every `everyMs`. */
export function useNow(everyMs = 1_000): number {
  const { clockOffsetMs } = useApp();
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs + clockOffsetMs;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Model Canary`;
  }, [title]);
}
