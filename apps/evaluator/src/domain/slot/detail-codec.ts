import type { PackReader, PackWriter } from '@app/shared';
import type { ArmDetails, PredictionCells, ValueSums } from '../arm-details.js';
import { packCells, unpackCells } from './cell-counter.js';

/** Packs an arm's details. The same details always give the same bytes. */
export function packDetails(writer: PackWriter, { values, segments, predictions }: ArmDetails): void {
  packValues(writer, values);
  writer.uint(segments.length);
  for (const { segment, name, cells } of segments) packCells(writer.uint(segment).text(name), cells);
  writer.uint(predictions ? 1 : 0);
  if (!predictions) return;
  packCells(writer, predictions.cells);
  writer.uint(predictions.names.size);
  for (const [bin, name] of predictions.names) writer.uint(bin).text(name);
}

export function unpackDetails(reader: PackReader): ArmDetails {
  const values = unpackValues(reader);
  const segments = Array.from({ length: reader.uint() }, () => ({
    segment: reader.uint(),
    name: reader.text(),
    cells: unpackCells(reader),
  }));
  return { values, segments, predictions: reader.uint() === 1 ? unpackPredictions(reader) : null };
}

export function packValues(writer: PackWriter, values: readonly ValueSums[]): void {
  writer.uint(values.length);
  for (const { name, n, sum, squares, groups } of values) {
    writer.text(name).uint(n).float(sum).float(squares).uint(groups.length);
    for (const of of groups) writer.uint(of.group).uint(of.n).float(of.sum);
  }
}

export function unpackValues(reader: PackReader): ValueSums[] {
  return Array.from({ length: reader.uint() }, () => ({
    name: reader.text(),
    n: reader.uint(),
    sum: reader.float(),
    squares: reader.float(),
    groups: Array.from({ length: reader.uint() }, () => ({
      group: reader.uint(),
      n: reader.uint(),
      sum: reader.float(),
    })),
  }));
}

function unpackPredictions(reader: PackReader): PredictionCells {
  const cells = unpackCells(reader);
  const names = new Map<number, string>();
  for (let left = reader.uint(); left > 0; left--) names.set(reader.uint(), reader.text());
  return { cells, names };
}
