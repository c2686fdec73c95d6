import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.js';
import { ControllerApi } from '../api/controller-api.js';
import { Session } from '../api/session.js';
import { FleetPage } from '../pages/fleet-page.js';
import { NewRolloutPage } from '../pages/new-rollout-page.js';
import { NotFoundPage } from '../pages/not-found-page.js';
import { RolloutPage } from '../pages/rollout-page.js';
import { SignInPage } from '../pages/sign-in-page.js';
import { Header } from '../parts/header.js';
import { AppContext } from './app-context.js';
import { useRoute } from './navigation.js';

type Entrance = 'asking' | 'sign-in' | 'in' | 'away';
type Settings = Omit<AppContext, 'api' | 'session'>;
const NOTHING_KNOWN: Settings = { readOnly: true, role: 'read', tokenName: null, clockOffsetMs: 0 };
const TRY_AGAIN_MS = 3_000;

export function App() {
  const session = useMemo(() => new Session(sessionStorage, localStorage), []);
  const api = useMemo(() => new ControllerApi(session), [session]);
  const [token, setToken] = useState(session.token());
  const [entrance, setEntrance] = useState<Entrance>('asking');
  const [tries, setTries] = useState(0);
  const [refused, setRefused] = useState(false);
  const [settings, setSettings] = useState<Settings>(NOTHING_KNOWN);

  useEffect(() => session.onChange(() => setToken(session.token())), [session]);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    Promise.all([api.console(), api.me()]).then(
      ([{ readOnly, nowMs }, { name, role, by }]) => {
        if (over) return;
        const tokenName = by === 'nobody' ? null : name;
        setSettings({ readOnly: readOnly || role === 'read', role, tokenName, clockOffsetMs: nowMs - Date.now() });
        setEntrance('in');
        setRefused(false);
      },
      (error: unknown) => {
        if (over) return;
        const asksForToken = error instanceof ApiError && error.status === 401;
        // Without a token nothing was refused yet; the API has thrown a wrong one away by now.
        if (asksForToken && token !== null) setRefused(true);
        setEntrance(asksForToken ? 'sign-in' : 'away');
        if (!asksForToken) timer = setTimeout(() => setTries((n) => n + 1), TRY_AGAIN_MS);
      },
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [api, token, tries]);

  const context = useMemo(() => ({ api, session, ...settings }), [api, session, settings]);
  return (
    <AppContext.Provider value={context}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <Page entrance={entrance} wrongToken={refused} key={token ?? ''} />
      </main>
    </AppContext.Provider>
  );
}

function Page({ entrance, wrongToken }: { readonly entrance: Entrance; readonly wrongToken: boolean }) {
  const route = useRoute();
  if (entrance === 'asking') return <p class="quiet page-wait">Loading …</p>;
  if (entrance === 'away')
    return (
      <p class="banner bad" role="status">
        The controller cannot be reached. Trying again …
      </p>
    );
  if (entrance === 'sign-in') return <SignInPage wrongToken={wrongToken} />;
  switch (route.page) {
    case 'fleet':
      return <FleetPage search={route.query} />;
    case 'new':
      return <NewRolloutPage model={route.model} />;
    case 'rollout':
      return <RolloutPage key={`${route.model}|${route.rollout ?? ''}`} model={route.model} rollout={route.rollout} />;
    case 'not-found':
      return <NotFoundPage path={route.path} />;
  }
}
