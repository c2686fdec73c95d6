import { PackReader, PackWriter } from '@app/shared';
import type {
  ArmCounts,
  BucketSummary,
  LabelledArm,
  LabelShare,
  LeftOutSummary,
  MissedSummary,
  PairShare,
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

/** Packs a summary. The same summary always gives the same bytes. */
export function packSummary(summary: Summary | MissedSummary): Buffer {
  switch (summary.kind) {
    case 'bucket':
      return packBucket(summary);
    case 'left-out':
      return packLeftOut(summary);
    case 'label-share':
      return packLabelShare(summary);
    case 'pair-share':
      return packPairShare(summary);
    case 'missed':
      return writer.uint(KIND.missed).uint(summary.from).uint(summary.to).take();
  }
}

/** Throws CanaryError `corrupt-pack` on bytes that packSummary() did not make. */
export function unpackSummary(packed: Buffer): Summary | MissedSummary {
  const reader = new PackReader(packed);
  const kind = reader.uint();
  switch (kind) {
    case KIND.bucket:
    case KIND.detailedBucket:
      return unpackBucket(reader, kind === KIND.detailedBucket);
    case KIND.leftOut:
      return unpackLeftOut(reader);
    case KIND.pairShare:
      return unpackPairShare(reader);
    case KIND.missed:
      return { kind: 'missed', model: '', generation: 0, from: reader.uint(), to: reader.uint() };
    default:
      return unpackLabelShare(reader, kind === KIND.detailedShare);
  }
}

function packBucket(s: BucketSummary): Buffer {
  const versions = Object.entries(s.versions);
  const detailed = versions.some(([, arm]) => arm.details !== undefined);
  writer
    .uint(detailed ? KIND.detailedBucket : KIND.bucket)
    .text(s.model)
    .uint(s.generation)
    .text(s.router)
    .uint(s.bucket);
  writer.uint(s.routedFrom).uint(s.routedTo).float(s.ageMs).float(s.previousAgeMs);
  writer.uint(s.final ? 1 : 0);
  writer.uint(versions.length);
  for (const [version, arm] of versions) {
    writer.text(version).uint(arm.routed).uint(arm.intended).uint(arm.pending);
    packCells(writer, arm.cells);
    packCells(writer, arm.firstByte);
    if (!detailed) continue;
    writer.uint(arm.details ? 1 : 0);
    if (arm.details) packDetails(writer, arm.details);
  }
  return writer.take();
}

function unpackBucket(reader: PackReader, detailed: boolean): BucketSummary {
  const head = {
    kind: 'bucket' as const,
    model: reader.text(),
    generation: reader.uint(),
    router: reader.text(),
    bucket: reader.uint(),
    routedFrom: reader.uint(),
    routedTo: reader.uint(),
    ageMs: reader.float(),
    previousAgeMs: reader.float(),
    final: reader.uint() === 1,
  };
  const versions: [string, ArmCounts][] = [];
  for (let left = reader.uint(); left > 0; left--) {
    const version = reader.text();
    const [routed, intended, pending] = [reader.uint(), reader.uint(), reader.uint()];
    const counts = { routed, intended, pending, cells: unpackCells(reader), firstByte: unpackCells(reader) };
    const hasDetails = detailed && reader.uint() === 1;
    versions.push([version, hasDetails ? { ...counts, details: unpackDetails(reader) } : counts]);
  }
  return { ...head, versions: Object.fromEntries(versions) };
}

function packLeftOut(s: LeftOutSummary): Buffer {
  writer.uint(KIND.leftOut).text(s.model).uint(s.generation).text(s.router).uint(s.bucket).uint(s.routedFrom);
  writer.text(s.cause);
  const routed = Object.entries(s.routed);
  writer.uint(routed.length);
  for (const [version, n] of routed) writer.text(version).uint(n);
  return writer.take();
}

function unpackLeftOut(reader: PackReader): LeftOutSummary {
  const head = {
    kind: 'left-out' as const,
    model: reader.text(),
    generation: reader.uint(),
    router: reader.text(),
    bucket: reader.uint(),
    routedFrom: reader.uint(),
    cause: reader.text() as LeftOutSummary['cause'],
  };
  const routed: [string, number][] = [];
  for (let left = reader.uint(); left > 0; left--) routed.push([reader.text(), reader.uint()]);
  return { ...head, routed: Object.fromEntries(routed) };
}

function packPairShare({ model, generation, stratum, strataMs, answers, accuracy }: PairShare): Buffer {
  writer.uint(KIND.pairShare).text(model).uint(generation).uint(stratum).uint(strataMs);
  writer.uint((answers ? 1 : 0) | (accuracy ? 2 : 0));
  if (answers) {
    packPaired(writer, answers.errors);
    packPaired(writer, answers.agreement);
  }
  if (accuracy) packPaired(writer, accuracy);
  return writer.take();
}

function unpackPairShare(reader: PackReader): PairShare {
  const head = { kind: 'pair-share' as const, model: reader.text(), generation: reader.uint() };
  const [stratum, strataMs, flags] = [reader.uint(), reader.uint(), reader.uint()];
  const answers = (flags & 1) !== 0 ? { errors: unpackPaired(reader), agreement: unpackPaired(reader) } : null;
  return { ...head, stratum, strataMs, answers, accuracy: (flags & 2) !== 0 ? unpackPaired(reader) : null };
}

function packLabelShare(s: LabelShare): Buffer {
  const detailed = [s.stable, s.canary].some((arm) => arm.segments !== undefined || arm.values !== undefined);
  writer
    .uint(detailed ? KIND.detailedShare : KIND.labelShare)
    .text(s.model)
    .uint(s.generation)
    .uint(s.stratum)
    .uint(s.strataMs);
  for (const arm of [s.stable, s.canary]) {
    writer.uint(arm.n).uint(arm.wrong).uint(arm.groupN.length);
    for (const [group, n] of arm.groupN.entries()) writer.uint(n).uint(arm.groupWrong[group] ?? 0);
    if (!detailed) continue;
    writer.uint((arm.segments ? 1 : 0) | (arm.values ? 2 : 0));
    if (arm.segments) packCells(writer, arm.segments);
    if (arm.values) packValues(writer, arm.values);
  }
  return writer.take();
}

function unpackLabelShare(reader: PackReader, detailed: boolean): LabelShare {
  return {
    kind: 'label-share',
    model: reader.text(),
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
