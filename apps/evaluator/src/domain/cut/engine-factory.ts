import type { ModelEngine } from '../engine.js';
import { createModelEngine, decodeModelEngine } from '../verdict/model-engine.js';

/** Where engines come from: the verdict engine in production, a recording one in tests. */
export interface EngineFactory {
  create(model: string): ModelEngine;
  /** The engine that encode() of the same engine version wrote. Throws on bytes of anything else. */
  decode(model: string, bytes: Buffer): ModelEngine;
}

export const verdictEngines: EngineFactory = { create: createModelEngine, decode: decodeModelEngine };
