import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Clock, formatDuration, type RolloutState, type WindowReader } from '@app/shared';
import { ModelDirectory } from '../reading/model-directory.js';
import { RolloutJournal } from '../reading/rollout-journal.js';
import { Documented } from './documented.js';
import { knownModel, MODEL } from './known-model.js';
import { ProblemException, refuse, unprocessable } from './problem.js';
import { HistoryQuery, WindowsQuery } from './requests.js';
import type { History, ModelList, ModelView, Windows } from './schemas.js';
import { CLOCK, WINDOWS } from './tokens.js';
import { listedView, modelView, windowView } from './views.js';

const WINDOWS_SHOWN_MS = 900_000;
/** Older ones are not kept, and an endless range must not be read. */
const WINDOWS_KEPT_MS = { '10s': 3_600_000, '1m': 86_400_000 } as const;

@ApiTags('models')
@Controller('api/v1/models')
export class ModelsController {
  constructor(
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(RolloutJournal) private readonly journal: RolloutJournal,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(WINDOWS) private readonly windows: WindowReader | undefined,
  ) {}

  @Get()
  @Documented({
    id: 'listModels',
    role: 'read',
    summary: 'All models, each with its last decision and its newest verdict.',
    answers: { 200: { schema: 'ModelList', description: 'By name.' } },
  })
  list(): ModelList {
    return { models: this.directory.all().map((state) => listedView(state, this.journal)) };
  }

  @Get(':model')
  @ApiParam(MODEL)
  @Documented({
    id: 'getModel',
    role: 'read',
    summary: 'A model: its whole state and the newest verdict.',
    answers: { 200: { schema: 'ModelView', description: 'As rollout-state has it.' } },
    problems: ['unknown-model'],
  })
  get(@Param('model') model: string): ModelView {
    return modelView(this.known(model), this.journal);
  }

  @Get(':model/history')
  @ApiParam(MODEL)
  @Documented({
    id: 'getHistory',
    role: 'read',
    summary: 'What was decided about a model and why, oldest first.',
    answers: { 200: { schema: 'History', description: 'Without gaps up to the newest.' } },
    problems: ['unknown-model', 'invalid-input'],
  })
  history(@Param('model') model: string, @Query() { limit }: HistoryQuery): History {
    return { model, decisions: this.journal.history(this.known(model), limit) };
  }

  @Get(':model/windows')
  @ApiParam(MODEL)
  @Documented({
    id: 'getWindows',
    role: 'read',
    summary: 'Traffic, errors, labels and latency of each version over time.',
    answers: {
      200: { schema: 'Windows', description: 'In order of time; without those in which nothing was routed.' },
    },
    problems: ['unknown-model', 'invalid-input', 'no-windows'],
  })
  async read(@Param('model') model: string, @Query() query: WindowsQuery): Promise<Windows> {
    this.known(model);
    if (!this.windows) refuse(503, 'no-windows', 'this controller has no window store; set REDIS_URL');
    const toMs = query.to ?? this.clock.nowMs();
    const fromMs = query.from ?? toMs - WINDOWS_SHOWN_MS;
    if (fromMs > toMs || toMs - fromMs > WINDOWS_KEPT_MS[query.resolution]) {
      const text = `from must be before to, at most ${formatDuration(WINDOWS_KEPT_MS[query.resolution])} with resolution ${query.resolution}`;
      throw new ProblemException(unprocessable([{ field: 'from', code: 'bad-range', message: text }]));
    }
    const range = { resolution: query.resolution, fromMs, toMs };
    const windows = await this.windows.read(model, range).catch((error: unknown) => {
      return refuse(503, 'windows-away', `the window store does not answer: ${(error as Error).message}`);
    });
    return { model, windows: windows.map(windowView) };
  }

  private known(model: string): RolloutState {
    return knownModel(this.directory, model);
  }
}
