import { cloudEventData, type Cut, cutCodec, type Verdict, verdictCodec } from '@app/shared';
import type { Differences } from './differences.js';
import { type History, placeOf } from './history.js';
import type { LabelRecount } from './label-recount.js';
import type { LogRecord, LogSource } from './log-source.js';
import { ModelRecount } from './model-recount.js';
import type { OutcomeRecount } from './outcome-recount.js';

/** Everything that was said of the data, in order, by owner. */
export interface Verdicts {
  readonly byOwner: readonly (readonly CutWithVerdicts[])[];
  readonly byId: ReadonlyMap<string, Verdict>;
}

export interface CutWithVerdicts {
  readonly cut: Cut;
  readonly verdicts: Verdict[];
}

/** Reads rollout-verdict, and checks that cuts follow each other and verdicts their cuts. */
export async function readVerdicts(
  source: LogSource,
  isPoison: (record: LogRecord) => boolean,
  differences: Differences,
): Promise<Verdicts> {
  const byOwner: CutWithVerdicts[][] = [];
  const byId = new Map<string, Verdict>();
  await source.read('verdict', (record) => {
    if (isPoison(record)) return;
    const data = cloudEventData(record.value, record.headers);
    const cuts = (byOwner[record.partition] ??= []);
    const cut = cutCodec.decode(data);
    if (cut.ok) {
      checkFollows(cut.value, cuts.at(-1)?.cut, record, differences);
      cuts.push({ cut: cut.value, verdicts: [] });
      return;
    }
    const verdict = verdictCodec.decode(data);
    if (!verdict.ok) return differences.add('verdict-unreadable', placeOf(record), 'neither a cut nor a verdict');
    const { value } = verdict;
    const of = cuts.at(-1);
    const isOfIt =
      of &&
      of.cut.number === value.cut.number &&
      JSON.stringify(of.cut.positions) === JSON.stringify(value.cut.positions);
    if (!isOfIt) return differences.add('verdict-without-cut', placeOf(record), `of cut ${value.cut.number}`);
    if (byId.has(value.verdictId)) differences.add('verdict-twice', placeOf(record), value.verdictId);
    if (of.verdicts.some(({ model }) => model === value.model))
      differences.add('verdict-twice', placeOf(record), `${value.model} in cut ${value.cut.number}`);
    byId.set(value.verdictId, value);
    of.verdicts.push(value);
  });
  return { byOwner: Array.from(byOwner, (cuts) => cuts ?? []), byId };
}

function checkFollows(cut: Cut, before: Cut | undefined, record: LogRecord, differences: Differences): void {
  const where = placeOf(record);
  differences.unless(cut.owner === record.partition, 'cut-of-another-owner', where, `of owner ${cut.owner}`);
  const expected = (before?.number ?? 0) + 1;
  differences.unless(cut.number === expected, 'cut-numbers', where, `cut ${cut.number} where ${expected} should be`);
  if (!before) return;
  for (const role of ['outcome', 'label'] as const) {
    const back = cut.positions[role].some((position, i) => position < (before.positions[role][i] ?? 0));
    differences.unless(!back, 'cut-goes-back', where, `${role} positions of cut ${cut.number}`);
    const timeBack = cut.logTimes[role].some((time, i) => time < (before.logTimes[role][i] ?? -1));
    differences.unless(!timeBack, 'cut-goes-back', where, `${role} log times of cut ${cut.number}`);
  }
}

export interface Recounts {
  readonly outcomes: readonly OutcomeRecount[];
  readonly labels: readonly LabelRecount[];
}

/** What a run of verdicts rests on, for the report. */
export interface VerdictFigures {
  readonly cuts: number;
  readonly verdicts: number;
  readonly holds: Readonly<Record<string, number>>;
}

/** Folds what was counted along the cuts, and holds every verdict's figures against it. */
export function checkVerdicts(
  { byOwner }: Verdicts,
  recounts: Recounts,
  history: History,
  differences: Differences,
): VerdictFigures {
  let cuts = 0;
  let verdicts = 0;
  const holds: Record<string, number> = {};
  for (const owned of byOwner) {
    const models = new Map<string, ModelRecount>();
    const along = new Along(recounts);
    for (const { cut, verdicts: given } of owned) {
      cuts++;
      for (const [model, sequence] of Object.entries(cut.known)) learn(models, history, model, sequence, differences);
      for (const model of models.values()) model.beginCut();
      along.foldUpTo(cut, models);
      for (const model of models.values()) model.endCut(cut);
      for (const verdict of given) {
        verdicts++;
        if (verdict.reason.code.startsWith('evaluator-')) {
          holds[verdict.reason.code] = (holds[verdict.reason.code] ?? 0) + 1;
          differences.add('evaluator-lost-its-evidence', verdict.model, `cut ${cut.number}: ${verdict.reason.code}`);
          continue;
        }
        const where = `${verdict.model}, cut ${cut.number} of owner ${cut.owner}`;
        const recount = models.get(verdict.model);
        if (!recount) differences.add('verdict-figures', where, 'nothing is known of this model');
        for (const { figure, expected, found } of recount?.compare(verdict) ?? [])
          differences.add(
            'verdict-figures',
            where,
            `${figure}: counted ${show(expected)}, the verdict says ${show(found)}`,
          );
      }
    }
  }
  return { cuts, verdicts, holds };
}

function learn(
  models: Map<string, ModelRecount>,
  history: History,
  model: string,
  sequence: number,
  differences: Differences,
): void {
  const told = history.find(model);
  if (!told)
    return differences.add('cut-knows-too-much', model, `decision ${sequence} of a model nobody decided about`);
  const recount = models.get(model) ?? new ModelRecount(told);
  models.set(model, recount);
  recount.learn(sequence);
}

/** Hands out what lies between two cuts in the order of folding: partition, offset; outcomes before labels. */
class Along {
  private readonly next: { outcomes: number[]; labels: number[] };

  constructor(private readonly recounts: Recounts) {
    this.next = { outcomes: recounts.outcomes.map(() => 0), labels: recounts.labels.map(() => 0) };
  }

  foldUpTo({ positions }: Cut, models: ReadonlyMap<string, ModelRecount>): void {
    this.recounts.outcomes.forEach(({ findings }, partition) => {
      const end = positions.outcome[partition] ?? 0;
      let i = this.next.outcomes[partition]!;
      for (; i < findings.length && findings[i]!.offset < end; i++) models.get(findings[i]!.model)?.fold(findings[i]!);
      this.next.outcomes[partition] = i;
    });
    this.recounts.labels.forEach(({ shares }, partition) => {
      const end = positions.label[partition] ?? 0;
      let i = this.next.labels[partition]!;
      for (; i < shares.length && shares[i]!.offset < end; i++) models.get(shares[i]!.model)?.foldShare(shares[i]!);
      this.next.labels[partition] = i;
    });
  }
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
