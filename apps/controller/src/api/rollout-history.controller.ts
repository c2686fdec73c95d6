import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { decidingDecision, type RolloutRecord, rolloutRecords } from '../domain/rollout/past-rollouts.js';
import { thinned, verdictSeries } from '../domain/verdict-points/verdict-series.js';
import { ModelDirectory } from '../reading/model-directory.js';
import { RolloutJournal } from '../reading/rollout-journal.js';
import { VerdictHistory } from '../reading/verdict-history.js';
import { Documented } from './documented.js';
import { knownModel, MODEL } from './known-model.js';
import { refuse } from './problem.js';
import { SeriesQuery } from './requests.js';
import type { RolloutList, RolloutView, VerdictSeriesView } from './schemas.js';

const ROLLOUT = { name: 'rollout', example: 'digits-3', schema: { type: 'string', minLength: 1 } };
const DECISIONS_MAX = 1_000;

@ApiTags('models')
@Controller('api/v1/models/:model/rollouts')
export class RolloutHistoryController {
  constructor(
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(RolloutJournal) private readonly journal: RolloutJournal,
    @Inject(VerdictHistory) private readonly verdicts: VerdictHistory,
  ) {}

  @Get()
  @ApiParam(MODEL)
  @Documented({
    id: 'listRollouts',
    role: 'read',
    summary: 'The rollouts of a model that are still known.',
    answers: { 200: { schema: 'RolloutList', description: 'Newest first.' } },
    problems: ['unknown-model'],
  })
  list(@Param('model') model: string): RolloutList {
    return { model, rollouts: this.records(model).map(lineOf) };
  }

  @Get(':rollout')
  @ApiParam(MODEL)
  @ApiParam(ROLLOUT)
  @Documented({
    id: 'getRollout',
    role: 'read',
    summary: 'One rollout, open or over: its file, how it stands or ended, its decisions.',
    answers: { 200: { schema: 'RolloutRecord', description: 'As its decisions tell it.' } },
    problems: ['unknown-model', 'unknown-rollout'],
  })
  get(@Param('model') model: string, @Param('rollout') rollout: string): RolloutView {
    return this.record(model, rollout);
  }

  @Get(':rollout/verdicts')
  @ApiParam(MODEL)
  @ApiParam(ROLLOUT)
  @Documented({
    id: 'getVerdictSeries',
    role: 'read',
    summary: 'How its verdicts developed: differences with their intervals, limits and evidence over time.',
    answers: { 200: { schema: 'VerdictSeries', description: 'Thinned, oldest first.' } },
    problems: ['unknown-model', 'unknown-rollout', 'invalid-input', 'verdicts-away'],
  })
  async series(
    @Param('model') model: string,
    @Param('rollout') rollout: string,
    @Query() { points }: SeriesQuery,
  ): Promise<VerdictSeriesView> {
    this.record(model, rollout);
    const known = await this.verdicts.read(rollout).catch((error: unknown) => {
      return refuse(503, 'verdicts-away', `the store of verdicts does not answer: ${(error as Error).message}`);
    });
    return { model, rollout, ...verdictSeries(thinned(known, points)) };
  }

  private record(model: string, rollout: string): RolloutRecord {
    const found = this.records(model).find((record) => record.rollout === rollout);
    const text = `nothing is known here of ${rollout}; the decisions of long ago are in the topic rollout-decision`;
    return found ?? refuse(404, 'unknown-rollout', text);
  }

  private records(model: string): readonly RolloutRecord[] {
    const state = knownModel(this.directory, model);
    return rolloutRecords(state, this.journal.history(state, DECISIONS_MAX));
  }
}

function lineOf(record: RolloutRecord): RolloutList['rollouts'][number] {
  const { rollout, status, stable, canary, step, startedAt, endedAt } = record;
  const reason = decidingDecision(record)?.reason.text ?? null;
  return { rollout, status, stable, canary, step, startedAt, endedAt, reason };
}
