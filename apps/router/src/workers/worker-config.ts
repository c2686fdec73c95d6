import { RouterConfig } from '../config.js';
import { type WorkerPlace, shareOf } from '../domain/worker-share.js';
import { workerDirectory } from './spool-adoption.js';

const MIB = 1024 * 1024;

/** The configuration of one worker: a directory of its own, and its share of what the router may hold as a whole. */
export function workerConfig(config: RouterConfig, place: WorkerPlace): RouterConfig {
  return Object.assign(new RouterConfig(), config, {
    ROUTER_DATA_DIR: workerDirectory(config.ROUTER_DATA_DIR, place.index),
    ROUTER_BUFFER_BYTES_MAX: shareOf(config.ROUTER_BUFFER_BYTES_MAX, place, MIB),
    ROUTER_SPOOL_BYTES_MAX: shareOf(config.ROUTER_SPOOL_BYTES_MAX, place, MIB),
    ROUTER_SHADOW_IN_FLIGHT_MAX: shareOf(config.ROUTER_SHADOW_IN_FLIGHT_MAX, place, 0),
    ROUTER_REPLAY_PER_SECOND: shareOf(config.ROUTER_REPLAY_PER_SECOND, place),
  });
}
