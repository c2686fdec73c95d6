/** Rows and deltas that there is room for at first. */
const ROWS_MIN = 64;
/** In the place of a row or delta: there is none. */
export const NONE = -1;

/** A batch's rows, by column. */
export class RowColumns {
  length = 0;
  readonly versions: string[] = [];
  startMs = new Float64Array(ROWS_MIN);
  routed = new Uint32Array(ROWS_MIN);
  errors = new Uint32Array(ROWS_MIN);
  labelled = new Uint32Array(ROWS_MIN);
  right = new Uint32Array(ROWS_MIN);
  /** Another row of the same version; NONE: it is the last. */
  next = new Int32Array(ROWS_MIN);
  /** The row after it in its delta. */
  nextOfDelta = new Int32Array(ROWS_MIN);

  add(version: string, startMs: number, next: number): number {
    if (this.length === this.startMs.length) this.grow();
    const row = this.length++;
    this.versions[row] = version;
    this.startMs[row] = startMs;
    this.routed[row] = 0;
    this.errors[row] = 0;
    this.labelled[row] = 0;
    this.right[row] = 0;
    this.next[row] = next;
    this.nextOfDelta[row] = NONE;
    return row;
  }

  private grow(): void {
    this.startMs = longer(this.startMs, Float64Array);
    this.routed = longer(this.routed, Uint32Array);
    this.errors = longer(this.errors, Uint32Array);
    this.labelled = longer(this.labelled, Uint32Array);
    this.right = longer(this.right, Uint32Array);
    this.next = longer(this.next, Int32Array);
    this.nextOfDelta = longer(this.nextOfDelta, Int32Array);
  }

  clear(): void {
    this.length = 0;
  }
}

/** A batch's deltas, by column: each a model's window with rows in the order in which they came. */
export class DeltaColumns {
  length = 0;
  readonly models: string[] = [];
  startMs = new Float64Array(ROWS_MIN);
  /** How many rows it has. */
  size = new Uint32Array(ROWS_MIN);
  firstRow = new Int32Array(ROWS_MIN);
  lastRow = new Int32Array(ROWS_MIN);
  /** Another delta of the same model; NONE: it is the last. */
  next = new Int32Array(ROWS_MIN);

  add(model: string, startMs: number, next: number): number {
    if (this.length === this.startMs.length) this.grow();
    const delta = this.length++;
    this.models[delta] = model;
    this.startMs[delta] = startMs;
    this.size[delta] = 0;
    this.firstRow[delta] = NONE;
    this.lastRow[delta] = NONE;
    this.next[delta] = next;
    return delta;
  }

  addRow(delta: number, row: number, rows: RowColumns): void {
    const last = this.lastRow[delta]!;
    if (last === NONE) this.firstRow[delta] = row;
    else rows.nextOfDelta[last] = row;
    this.lastRow[delta] = row;
    this.size[delta]!++;
  }

  private grow(): void {
    this.startMs = longer(this.startMs, Float64Array);
    this.size = longer(this.size, Uint32Array);
    this.firstRow = longer(this.firstRow, Int32Array);
    this.lastRow = longer(this.lastRow, Int32Array);
    this.next = longer(this.next, Int32Array);
  }

  clear(): void {
    this.length = 0;
  }
}

type ColumnArray = Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

function longer<A extends ColumnArray>(column: A, make: new (length: number) => A): A {
  const grown = new make(column.length * 2);
  grown.set(column);
  return grown;
}
