import { theme, type Theme } from '../app/theme.js';
import { useApp } from '../app/app-context.js';
import { Link, useRoute } from '../app/navigation.js';
import { fleetPath, newPath } from '../domain/route.js';
import { useStore } from '../live/store.js';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'System colours'],
  ['light', 'Light colours'],
  ['dark', 'Dark colours'],
];

export function Header() {
  const { session, readOnly, tokenName, role } = useApp();
  const { page } = useRoute();
  const chosen = useStore(theme);
  return (
    <header class="top">
      <Link to={fleetPath()} class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false" class="mark">
          <rect width="32" height="32" rx="8" class="mark-ground" />
          <rect x="6" y="8" width="20" height="6" rx="3" class="mark-stable" />
          <rect x="6" y="18" width="9" height="6" rx="3" class="mark-canary" />
          <rect x="17" y="18" width="9" height="6" rx="3" class="mark-rest" />
        </svg>
        <span>Model Canary</span>
      </Link>
      <nav aria-label="Pages">
        <Link to={fleetPath()} current={page === 'fleet'}>
          Models
        </Link>
        {!readOnly && (
          <Link to={newPath()} current={page === 'new'}>
            New rollout
          </Link>
        )}
      </nav>
      <div class="top-end">
        <label class="theme">
          <span class="unseen">Colours</span>
          <select value={chosen} onChange={(event) => theme.set(event.currentTarget.value as Theme)}>
            {THEMES.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        {tokenName !== null && (
          <span class="who">
            {tokenName}
            {role === 'read' && ', looking only'}
          </span>
        )}
        {tokenName !== null && (
          <button type="button" class="plain" onClick={() => session.signOut()}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}
