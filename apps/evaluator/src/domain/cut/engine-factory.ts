import { ENGINE_VERSION, type ModelEngine } from '../engine.js';
import { createModelEngine, decodeModelEngine } from '../verdict/model-engine.js';

/** Where engines come from: the verdict engine in production, a recording one in tests. */
export interface EngineFactory {
  /** Another one where the same records give other numbers: a checkpoint of another version is not read. */
  readonly version: string;
  create(model: string): ModelEngine;
  /** The engine that encode() of the same engine version wrote. Throws on bytes of anything else. */
  decode(model: string, bytes: Buffer): ModelEngine;
}

export const verdictEngines: EngineFactory = {
  version: ENGINE_VERSION,
  create: createModelEngine,
  decode: decodeModelEngine,
};
