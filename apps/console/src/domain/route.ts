/** The console's pages and their addresses. */
export type Route =
  | { readonly page: 'fleet'; readonly query: string }
  | { readonly page: 'new'; readonly model: string | null }
  /** Without a rollout: the model's open one, or its last. */
  | { readonly page: 'rollout'; readonly model: string; readonly rollout: string | null }
  | { readonly page: 'not-found'; readonly path: string };

export function parseRoute(path: string, search: string): Route {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const [first, model, third, rollout] = parts;
  if (parts.length === 0) return { page: 'fleet', query: search };
  if (parts.length === 1 && first === 'new') return { page: 'new', model: new URLSearchParams(search).get('model') };
  if (first === 'models' && model) {
    if (parts.length === 2) return { page: 'rollout', model, rollout: null };
    if (parts.length === 4 && third === 'rollouts' && rollout) return { page: 'rollout', model, rollout };
  }
  return { page: 'not-found', path };
}

export const fleetPath = (query = ''): string => `/${query}`;
export const newPath = (model?: string): string => (model ? `/new?model=${encodeURIComponent(model)}` : '/new');
export const modelPath = (model: string): string => `/models/${encodeURIComponent(model)}`;
export const rolloutPath = (model: string, rollout: string): string =>
  `${modelPath(model)}/rollouts/${encodeURIComponent(rollout)}`;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // written by hand; it will not be found under that name
  }
}
