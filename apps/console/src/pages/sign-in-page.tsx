import { useState } from 'preact/hooks';
import { useApp, useTitle } from '../app/app-context.js';

export function SignInPage({ wrongToken }: { readonly wrongToken: boolean }) {
  const { session } = useApp();
  const [token, setToken] = useState('');
  useTitle('Sign in');
  return (
    <form
      class="sign-in card"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') session.signIn(token.trim());
      }}
    >
      <h1>Sign in</h1>
      <p>
        This controller asks for a token: the one it was started with (<code>CONTROLLER_TOKEN</code>), or the one your
        platform team gave you. It is kept in this tab alone.
      </p>
      <label class="field">
        <span>Token</span>
        <input
          type="password"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <div aria-live="polite">{wrongToken && <p class="refusal">The controller does not know this token.</p>}</div>
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
