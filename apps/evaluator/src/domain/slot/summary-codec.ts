import { PackReader, PackWriter } from '@app/shared';
import type {
  ArmCounts,
  BucketSummary,
  LabelledArm,
  LabelShare,
  LeftOutSummary,
  MissedSummary,
  PairShare,
  PlacedSummary,
  Summary,
} from '../summary.js';
import { packCells, unpackCells } from './cell-counter.js';
import { packPaired, unpackPaired } from './paired-tally.js';
import { packDetails, packValues, unpackDetails, unpackValues } from './detail-codec.js';

/** What only some rollouts need has kinds of its own, so that all others pay nothing for it. */
const KIND = {
  bucket: 1,
  leftOut: 2,
  labelShare: 3,
  detailedBucket: 4,
  detailedShare: 5,
  pairShare: 6,
  missed: 7,
} as const;
const writer = new PackWriter();

/** Packs summaries of one slot with their places; the same ones always give the same bytes. */
export function packSummaries(placed: readonly PlacedSummary[]): Buffer {
  writer.uint(placed.length);
  for (const one of placed) writePlaced(writer, one);
  return writer.take();
}

/** Those of them at `from` and beyond. Throws CanaryError `corrupt-pack` on bytes that packSummaries() did not make. */
export function unpackSummaries(packed: Buffer, from = 0): PlacedSummary[] {
  const reader = new PackReader(packed);
  const all: PlacedSummary[] = [];
  for (let left = reader.uint(); left > 0; left--) {
    const placed = readPlaced(reader);
    if (placed.offset >= from) all.push(placed);
  }
  return all;
}

/** Writes one among other things: names that were written before are not written again. */
export function writePlaced(to: PackWriter, { offset, index, summary }: PlacedSummary): void {
  to.uint(offset).uint(index);
  switch (summary.kind) {
    case 'bucket':
      return writeBucket(to, summary);
    case 'left-out':
      return writeLeftOut(to, summary);
    case 'label-share':
      return writeLabelShare(to, summary);
    case 'pair-share':
      return writePairShare(to, summary);
    case 'missed':
      to.uint(KIND.missed).uint(summary.from).uint(summary.to);
  }
}

/** What writePlaced() wrote. Throws CanaryError `corrupt-pack` on anything else. */
export function readPlaced(reader: PackReader): PlacedSummary {
  return { offset: reader.uint(), index: reader.uint(), summary: readSummary(reader) };
}

function readSummary(reader: PackReader): Summary | MissedSummary {
  const kind = reader.uint();
  switch (kind) {
    case KIND.bucket:
    case KIND.detailedBucket:
      return readBucket(reader, kind === KIND.detailedBucket);
    case KIND.leftOut:
      return readLeftOut(reader);
    case KIND.pairShare:
      return readPairShare(reader);
    case KIND.missed:
      return { kind: 'missed', model: '', generation: 0, from: reader.uint(), to: reader.uint() };
    default:
      return readLabelShare(reader, kind === KIND.detailedShare);
  }
}

function writeBucket(to: PackWriter, s: BucketSummary): void {
  const versions = Object.keys(s.versions);
  const detailed = versions.some((version) => s.versions[version]!.details !== undefined);
  to.uint(detailed ? KIND.detailedBucket : KIND.bucket)
    .name(s.model)
    .uint(s.generation)
    .name(s.router)
    .uint(s.bucket);
  to.uint(s.routedFrom).uint(s.routedTo).float(s.ageMs).float(s.previousAgeMs);
  to.uint(s.final ? 1 : 0);
  to.uint(versions.length);
  for (const version of versions) {
    const arm = s.versions[version]!;
    to.name(version).uint(arm.routed).uint(arm.intended).uint(arm.pending);
    packCells(to, arm.cells);
    packCells(to, arm.firstByte);
    if (!detailed) continue;
    to.uint(arm.details ? 1 : 0);
    if (arm.details) packDetails(to, arm.details);
  }
}

function readBucket(reader: PackReader, detailed: boolean): BucketSummary {
  return {
    kind: 'bucket',
    model: reader.name(),
    generation: reader.uint(),
    router: reader.name(),
    bucket: reader.uint(),
    routedFrom: reader.uint(),
    routedTo: reader.uint(),
    ageMs: reader.float(),
    previousAgeMs: reader.float(),
    final: reader.uint() === 1,
    versions: readArms(reader, detailed),
  };
}

function readArms(reader: PackReader, detailed: boolean): Record<string, ArmCounts> {
  const arms: [string, ArmCounts][] = [];
  for (let left = reader.uint(); left > 0; left--) {
    const version = reader.name();
    const [routed, intended, pending] = [reader.uint(), reader.uint(), reader.uint()];
    const counts = { routed, intended, pending, cells: unpackCells(reader), firstByte: unpackCells(reader) };
    const hasDetails = detailed && reader.uint() === 1;
    arms.push([version, hasDetails ? { ...counts, details: unpackDetails(reader) } : counts]);
  }
  return Object.fromEntries(arms);
}

function writeLeftOut(to: PackWriter, s: LeftOutSummary): void {
  to.uint(KIND.leftOut).name(s.model).uint(s.generation).name(s.router).uint(s.bucket).uint(s.routedFrom);
  to.text(s.cause);
  const routed = Object.entries(s.routed);
  to.uint(routed.length);
  for (const [version, n] of routed) to.name(version).uint(n);
}

function readLeftOut(reader: PackReader): LeftOutSummary {
  const head = {
    kind: 'left-out' as const,
    model: reader.name(),
    generation: reader.uint(),
    router: reader.name(),
    bucket: reader.uint(),
    routedFrom: reader.uint(),
    cause: reader.text() as LeftOutSummary['cause'],
  };
  const routed: [string, number][] = [];
  for (let left = reader.uint(); left > 0; left--) routed.push([reader.name(), reader.uint()]);
  return { ...head, routed: Object.fromEntries(routed) };
}

function writePairShare(to: PackWriter, share: PairShare): void {
  const { model, generation, stratum, strataMs, answers, accuracy } = share;
  to.uint(KIND.pairShare).name(model).uint(generation).uint(stratum).uint(strataMs);
  to.uint((answers ? 1 : 0) | (accuracy ? 2 : 0));
  if (answers) {
    packPaired(to, answers.errors);
    packPaired(to, answers.agreement);
  }
  if (accuracy) packPaired(to, accuracy);
}

function readPairShare(reader: PackReader): PairShare {
  const head = { kind: 'pair-share' as const, model: reader.name(), generation: reader.uint() };
  const [stratum, strataMs, flags] = [reader.uint(), reader.uint(), reader.uint()];
  const answers = (flags & 1) !== 0 ? { errors: unpackPaired(reader), agreement: unpackPaired(reader) } : null;
  return { ...head, stratum, strataMs, answers, accuracy: (flags & 2) !== 0 ? unpackPaired(reader) : null };
}

function writeLabelShare(to: PackWriter, s: LabelShare): void {
  const detailed = [s.stable, s.canary].some((arm) => arm.segments !== undefined || arm.values !== undefined);
  to.uint(detailed ? KIND.detailedShare : KIND.labelShare)
    .name(s.model)
    .uint(s.generation)
    .uint(s.stratum)
    .uint(s.strataMs);
  for (const arm of [s.stable, s.canary]) {
    to.uint(arm.n).uint(arm.wrong).uint(arm.groupN.length);
    for (const [group, n] of arm.groupN.entries()) to.uint(n).uint(arm.groupWrong[group] ?? 0);
    if (!detailed) continue;
    to.uint((arm.segments ? 1 : 0) | (arm.values ? 2 : 0));
    if (arm.segments) packCells(to, arm.segments);
    if (arm.values) packValues(to, arm.values);
  }
}

function readLabelShare(reader: PackReader, detailed: boolean): LabelShare {
  return {
    kind: 'label-share',
    model: reader.name(),
    generation: reader.uint(),
    stratum: reader.uint(),
    strataMs: reader.uint(),
    stable: unpackArm(reader, detailed),
    canary: unpackArm(reader, detailed),
  };
}

function unpackArm(reader: PackReader, detailed: boolean): LabelledArm {
  const [n, wrong, groups] = [reader.uint(), reader.uint(), reader.uint()];
  const groupN: number[] = [];
  const groupWrong: number[] = [];
  for (let group = 0; group < groups; group++) {
    groupN.push(reader.uint());
    groupWrong.push(reader.uint());
  }
  const flags = detailed ? reader.uint() : 0;
  return {
    n,
    wrong,
    groupN,
    groupWrong,
    ...((flags & 1) !== 0 ? { segments: unpackCells(reader) } : {}),
    ...((flags & 2) !== 0 ? { values: unpackValues(reader) } : {}),
  };
}
