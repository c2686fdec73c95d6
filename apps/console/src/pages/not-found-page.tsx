import { useTitle } from '../app/app-context.js';
import { Link } from '../app/navigation.js';
import { fleetPath } from '../domain/route.js';

export function NotFoundPage({ path }: { readonly path: string }) {
  useTitle('Not found');
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>
        <code>{path}</code> is not an address of the console. All models are at <Link to={fleetPath()}>Models</Link>.
      </p>
    </div>
  );
}
