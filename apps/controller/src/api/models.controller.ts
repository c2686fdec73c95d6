import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Clock, formatDuration, type RolloutState, type WindowReader } from '@app/shared';
import type { ControllerSettings } from '../config.js';
import { parseTraffic } from '../domain/rollout/weights.js';
import { ModelDirectory } from '../reading/model-directory.js';
import { RolloutJournal } from '../reading/rollout-journal.js';
import { ACTOR_HEADER, actorOf, type Caller, IDEMPOTENCY_HEADER, idempotencyKeyOf } from './caller.js';
import { CommandDesk, type Order } from './command-desk.js';
import { all, Documented } from './documented.js';
import { ProblemException, refuse, unprocessable } from './problem.js';
import { AbortBody, HistoryQuery, ReasonBody, TrafficBody, WindowsQuery } from './requests.js';
import type { CommandDone, History, ModelList, ModelView, Windows } from './schemas.js';
import { CLOCK, SETTINGS, WINDOWS } from './tokens.js';
import { listedView, modelView, windowView } from './views.js';

const MODEL = { name: 'model', example: 'digits', schema: { type: 'string', minLength: 1 } };
const WINDOWS_SHOWN_MS = 900_000;
/** Older ones are not kept, and an endless range must not be read. */
const WINDOWS_KEPT_MS = { '10s': 3_600_000, '1m': 86_400_000 } as const;

@ApiTags('models')
@ApiBearerAuth()
@Controller('api/v1/models')
export class ModelsController {
  constructor(
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(RolloutJournal) private readonly journal: RolloutJournal,
    @Inject(CommandDesk) private readonly desk: CommandDesk,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: ControllerSettings,
    @Inject(WINDOWS) private readonly windows: WindowReader | undefined,
  ) {}

  @Get()
  @Documented({
    id: 'listModels',
    summary: 'All models, each with its last decision and its newest verdict.',
    answers: { 200: { schema: 'ModelList', description: 'By name.' } },
    problems: ['token-required'],
  })
  list(): ModelList {
    return { models: this.directory.all().map((state) => listedView(state, this.journal)) };
  }

  @Get(':model')
  @ApiParam(MODEL)
  @Documented({
    id: 'getModel',
    summary: 'A model: its whole state and the newest verdict.',
    answers: { 200: { schema: 'ModelView', description: 'As rollout-state has it.' } },
    problems: ['token-required', 'unknown-model'],
  })
  get(@Param('model') model: string): ModelView {
    return modelView(this.known(model), this.journal);
  }

  @Get(':model/history')
  @ApiParam(MODEL)
  @Documented({
    id: 'getHistory',
    summary: 'What was decided about a model and why, oldest first.',
    answers: { 200: { schema: 'History', description: 'Without gaps up to the newest.' } },
    problems: ['token-required', 'unknown-model', 'invalid-input'],
  })
  history(@Param('model') model: string, @Query() { limit }: HistoryQuery): History {
    return { model, decisions: this.journal.history(this.known(model), limit) };
  }

  @Get(':model/windows')
  @ApiParam(MODEL)
  @Documented({
    id: 'getWindows',
    summary: 'Traffic, errors, labels and latency of each version over time.',
    answers: {
      200: { schema: 'Windows', description: 'In order of time; without those in which nothing was routed.' },
    },
    problems: ['token-required', 'unknown-model', 'invalid-input', 'no-windows'],
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

  @Post(':model/promote')
  @Command('promote', 'Goes on to the next step now: ends a pause, or does not wait for the verdict.')
  promote(@Param('model') model: string, @Body() body: ReasonBody, @Headers() caller: Caller): Promise<CommandDone> {
    return this.carryOut({ model, action: 'promote', reason: body.reason }, caller);
  }

  @Post(':model/promote-full')
  @Command('promoteFully', 'Skips the remaining steps: the canary becomes stable and gets all traffic.')
  promoteFull(
    @Param('model') model: string,
    @Body() body: ReasonBody,
    @Headers() caller: Caller,
  ): Promise<CommandDone> {
    return this.carryOut({ model, action: 'promote-full', reason: body.reason }, caller);
  }

  @Post(':model/pause')
  @Command('pause', 'Stops at the present weights; a fail still rolls back.')
  pause(@Param('model') model: string, @Body() body: ReasonBody, @Headers() caller: Caller): Promise<CommandDone> {
    return this.carryOut({ model, action: 'pause', reason: body.reason }, caller);
  }

  @Post(':model/resume')
  @Command('resume', 'Ends a pause.')
  resume(@Param('model') model: string, @Body() body: ReasonBody, @Headers() caller: Caller): Promise<CommandDone> {
    return this.carryOut({ model, action: 'resume', reason: body.reason }, caller);
  }

  @Post(':model/abort')
  @Command('abort', 'Ends the rollout: stable gets all traffic at once.')
  abort(@Param('model') model: string, @Body() body: AbortBody, @Headers() caller: Caller): Promise<CommandDone> {
    return this.carryOut({ model, action: 'abort', reason: body.reason }, caller);
  }

  @Post(':model/undo')
  @Command('undo', 'After a promotion: the version that was stable before gets all traffic again.')
  undo(@Param('model') model: string, @Body() body: ReasonBody, @Headers() caller: Caller): Promise<CommandDone> {
    return this.carryOut({ model, action: 'undo', reason: body.reason }, caller);
  }

  @Put(':model/traffic')
  @Command('setTraffic', 'Sets the weights by hand, while no rollout is open.')
  setTraffic(
    @Param('model') model: string,
    @Body() body: TrafficBody,
    @Headers() caller: Caller,
  ): Promise<CommandDone> {
    const weights = parseTraffic(body.weights, Object.keys(this.known(model).versions));
    if (!weights.ok) throw new ProblemException(unprocessable(weights.problems));
    return this.carryOut({ model, action: 'set-traffic', reason: body.reason, weights: weights.value }, caller);
  }

  private async carryOut(
    order: Pick<Order, 'model' | 'action' | 'weights'> & { reason: string | undefined },
    caller: Caller,
  ): Promise<CommandDone> {
    this.known(order.model);
    const { state, ...done } = await this.desk.carryOut({
      ...order,
      reason: order.reason ?? '',
      actor: actorOf(caller['x-actor'], this.settings),
      idempotencyKey: idempotencyKeyOf(caller['idempotency-key']),
    });
    return { ...done, state: { ...state, commands: [] } };
  }

  private known(model: string): RolloutState {
    const text = `there is no model ${model}; apply a rollout file first`;
    return this.directory.find(model) ?? refuse(404, 'unknown-model', text);
  }
}

/** What all commands have in common. */
function Command(id: string, summary: string): MethodDecorator {
  return all([
    HttpCode(200),
    ApiParam(MODEL),
    ApiHeader(IDEMPOTENCY_HEADER),
    ApiHeader(ACTOR_HEADER),
    Documented({
      id,
      summary,
      answers: {
        200: {
          schema: 'CommandDone',
          description: 'Carried out; with the decisions it caused and the state after it.',
        },
      },
      problems: [
        'unreadable-request',
        'bad-header',
        'token-required',
        'unknown-model',
        'no-open-rollout',
        'body-too-large',
        'unsupported-media-type',
        'invalid-input',
        'kafka-away',
        'no-answer',
      ],
    }),
  ]);
}
