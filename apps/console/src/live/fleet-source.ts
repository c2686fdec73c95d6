import type { Api } from '@app/api';
import type { ControllerApi } from '../api/controller-api.js';
import type { Session } from '../api/session.js';
import type { FleetRow } from '../domain/records.js';
import { LiveSource } from './live-source.js';
import { Store } from './store.js';

/** All models, kept fresh. Null: not read yet. */
export class FleetSource {
  readonly rows = new Store<readonly FleetRow[] | null>(null);
  readonly live: LiveSource;

  constructor(api: ControllerApi, session: Session) {
    this.live = new LiveSource({
      session,
      path: '/api/v1/fleet/events',
      load: async () => this.rows.set((await api.fleet()).models),
      onEvent: (event, data) => {
        if (event === 'fleet') this.change(data as Api['FleetChange']);
      },
    });
  }

  close(): void {
    this.live.close();
  }

  /** Rows that did not change stay the same objects, so that they are not drawn again. */
  private change({ models, gone }: Api['FleetChange']): void {
    const changed = new Map(models.map((row) => [row.model, row]));
    const lost = new Set(gone);
    const kept = (this.rows.get() ?? [])
      .filter(({ model }) => !lost.has(model))
      .map((row) => {
        const newer = changed.get(row.model);
        changed.delete(row.model);
        return newer ?? row;
      });
    this.rows.set([...kept, ...changed.values()]);
  }
}
