import { backgroundSide } from '../background.js';
import { loadDigits } from '../digits.js';
import { serveModel } from './model-server.js';
import { trainVersions } from './versions.js';

/** All versions of the model, each on a port of its own. */
export interface ModelServersData {
  readonly seed: number;
}

/** Sent once, when all of them listen. */
export interface ModelServersReady {
  readonly versions: readonly ServedVersion[];
}

export interface ServedVersion {
  readonly version: string;
  readonly description: string;
  readonly url: string;
}

const side = backgroundSide<never, ModelServersReady>();
const { seed } = side.data as ModelServersData;
const { training } = await loadDigits(seed);
const models = trainVersions(training, seed);
const servers = await Promise.all(models.map(serveModel));
side.onClose(async () => void (await Promise.all(servers.map((server) => server.close()))));
side.send({ versions: models.map(({ version, description }, i) => ({ version, description, url: servers[i]!.url })) });
