import { Store } from '../live/store.js';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'model-canary.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

const stored = localStorage.getItem(KEY);
export const theme = new Store<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
/** What the theme comes to; charts are drawn anew when it changes. `print` while a page is being printed. */
export const shownTheme = new Store<'light' | 'dark' | 'print'>('light');

function apply(): void {
  const chosen = theme.get();
  const root = document.documentElement;
  if (chosen === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = chosen;
  shownTheme.set(chosen === 'dark' || (chosen === 'system' && dark.matches) ? 'dark' : 'light');
}

export function startTheme(): void {
  apply();
  dark.addEventListener('change', apply);
  theme.onChange(() => {
    const chosen = theme.get();
    if (chosen === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
    apply();
  });
  // Paper is light, whatever the screen is.
  addEventListener('beforeprint', () => {
    document.documentElement.dataset['theme'] = 'light';
    shownTheme.set('print');
  });
  addEventListener('afterprint', apply);
}
