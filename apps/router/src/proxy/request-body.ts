import type { BodySink, DirectRequest } from './direct-request.js';

/** Shorter pieces are put together: each costs something wherever it goes. */
const PIECE_BYTES_MIN = 16_384;

/** A body that is there whole. A copy of a long one in one piece would be what its prediction costs most. */
export interface Body {
  readonly pieces: readonly Buffer[];
  /** Bytes of all pieces. */
  readonly length: number;
}

/** All request bodies held in memory, together. */
export class BodyMemory {
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** Takes memory, unless there is too little left. */
  take(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false;
    this.bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.bytes -= bytes;
  }
}

export type BodyResult =
  | { readonly kind: 'complete'; readonly body: Body }
  /** Longer than allowed, or than there is memory for. The rest of it was not read. */
  | { readonly kind: 'too-long' | 'no-memory' };

/**
 * Reads a request's body whole, before a version is chosen: how slowly a client sends must not count against the
 * version. Calls back once, unless the client goes away first. The caller gives the memory back: `bytesTaken`.
 */
export class RequestBody implements BodySink {
  bytesTaken = 0;
  private chunks: Buffer[] = [];

  constructor(
    private readonly request: DirectRequest,
    private readonly limits: { readonly bytesMax: number; readonly memory: BodyMemory },
    private readonly onResult: (result: BodyResult) => void,
  ) {
    request.takeBody(this);
  }

  onChunk(chunk: Buffer): void {
    if (this.bytesTaken + chunk.length > this.limits.bytesMax) return this.refuse('too-long');
    if (!this.limits.memory.take(chunk.length)) return this.refuse('no-memory');
    this.bytesTaken += chunk.length;
    this.chunks.push(chunk);
  }

  onEnd(): void {
    const { chunks, bytesTaken: length } = this;
    const areLong = chunks.length <= 1 || length / chunks.length >= PIECE_BYTES_MIN;
    this.chunks = [];
    this.onResult({ kind: 'complete', body: { pieces: areLong ? chunks : [Buffer.concat(chunks, length)], length } });
  }

  private refuse(kind: 'too-long' | 'no-memory'): void {
    this.request.leaveBody();
    this.chunks = [];
    this.onResult({ kind });
  }
}
