import type { RolloutState } from '@app/shared';
import type { ModelDirectory } from '../reading/model-directory.js';
import { refuse } from './problem.js';

/** The path parameter that names a model, as the OpenAPI document has it. */
export const MODEL = { name: 'model', schema: { type: 'string', minLength: 1, examples: ['digits'] } };

/** Throws ProblemException 404 for a model that nobody has registered. */
export function knownModel(directory: ModelDirectory, model: string): RolloutState {
  return (
    directory.find(model) ?? refuse(404, 'unknown-model', `there is no model ${model}; apply a rollout file first`)
  );
}
