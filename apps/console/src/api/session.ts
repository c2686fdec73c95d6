/** Who looks: a token for this tab alone, and a name that stands in decisions. */
const TOKEN = 'model-canary.token';
const NAME = 'model-canary.name';

export class Session {
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly tab: Storage,
    private readonly browser: Storage,
  ) {}

  token(): string | null {
    return this.tab.getItem(TOKEN);
  }

  signIn(token: string): void {
    this.tab.setItem(TOKEN, token);
    this.changed();
  }

  signOut(): void {
    this.tab.removeItem(TOKEN);
    this.changed();
  }

  /** Empty: the token's own name is taken. */
  name(): string {
    return this.browser.getItem(NAME) ?? '';
  }

  setName(name: string): void {
    this.browser.setItem(NAME, name);
  }

  headers(): Record<string, string> {
    const token = this.token();
    return token === null ? {} : { authorization: `Bearer ${token}` };
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
