import type { components, paths } from './controller-api.js';

/** What the controller's API sends and takes, made from its OpenAPI document: for its clients. */
export type Api = components['schemas'];

/** Its operations by path and method: what a typed client goes by. */
export type ApiPaths = paths;
