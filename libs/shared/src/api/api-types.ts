import type { components } from './controller-api.js';

/** What the controller's API sends and takes, made from its OpenAPI document: for its clients. */
export type Api = components['schemas'];
