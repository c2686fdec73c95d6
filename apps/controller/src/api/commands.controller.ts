import { Body, Controller, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiHeader, ApiParam, ApiTags } from '@nestjs/swagger';
import type { RolloutSpec, RolloutState } from '@app/shared';
import { parseTraffic } from '../domain/rollout/weights.js';
import { ModelDirectory } from '../reading/model-directory.js';
import { ACTOR_HEADER, type Asker, Asks, IDEMPOTENCY_HEADER } from './asker.js';
import type { Role } from './auth/roles.js';
import { CommandDesk, type Order } from './command-desk.js';
import { all, Documented } from './documented.js';
import { knownModel, MODEL } from './known-model.js';
import { ProblemException, refuse, unprocessable } from './problem.js';
import { AbortBody, ReasonBody, TrafficBody } from './requests.js';
import type { CommandDone } from './schemas.js';

/** What people and programs do to models. */
@ApiTags('commands')
@Controller('api/v1/models')
export class CommandsController {
  constructor(
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(CommandDesk) private readonly desk: CommandDesk,
  ) {}

  @Post(':model/promote')
  @Command('promote', 'Goes on to the next step now: ends a pause, or does not wait for the verdict.')
  promote(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'promote', reason: body.reason }, asker);
  }

  @Post(':model/promote-full')
  @Command('promoteFully', 'Skips the remaining steps: the canary becomes stable and gets all traffic.', 'admin')
  promoteFull(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'promote-full', reason: body.reason }, asker);
  }

  @Post(':model/pause')
  @Command('pause', 'Stops at the present weights; a fail still rolls back.')
  pause(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'pause', reason: body.reason }, asker);
  }

  @Post(':model/resume')
  @Command('resume', 'Ends a pause.')
  resume(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'resume', reason: body.reason }, asker);
  }

  @Post(':model/abort')
  @Command('abort', 'Ends the rollout: stable gets all traffic at once.')
  abort(@Param('model') model: string, @Body() body: AbortBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'abort', reason: body.reason }, asker);
  }

  @Post(':model/retry')
  @Command('retry', 'Tries again what was rolled back or aborted: a new rollout by the same file.')
  retry(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    const spec = specToRetry(knownModel(this.directory, model));
    return this.carryOut({ model, action: 'apply', reason: body.reason, spec }, asker);
  }

  @Post(':model/undo')
  @Command('undo', 'After a promotion: the version that was stable before gets all traffic again.')
  undo(@Param('model') model: string, @Body() body: ReasonBody, @Asks() asker: Asker): Promise<CommandDone> {
    return this.carryOut({ model, action: 'undo', reason: body.reason }, asker);
  }

  @Put(':model/traffic')
  @Command('setTraffic', 'Sets the weights by hand, while no rollout is open.', 'admin')
  setTraffic(@Param('model') model: string, @Body() body: TrafficBody, @Asks() asker: Asker): Promise<CommandDone> {
    const weights = parseTraffic(body.weights, Object.keys(knownModel(this.directory, model).versions));
    if (!weights.ok) throw new ProblemException(unprocessable(weights.problems));
    return this.carryOut({ model, action: 'set-traffic', reason: body.reason, weights: weights.value }, asker);
  }

  private async carryOut(
    order: Pick<Order, 'model' | 'action' | 'weights' | 'spec'> & { reason: string | undefined },
    asker: Asker,
  ): Promise<CommandDone> {
    knownModel(this.directory, order.model);
    const { state, ...done } = await this.desk.carryOut({
      ...order,
      ...asker,
      reason: order.reason ?? '',
    });
    return { ...done, state: { ...state, commands: [] } };
  }
}

/** The file of the last rollout, if it ended without a promotion. */
function specToRetry({ model, rollout }: RolloutState): RolloutSpec {
  switch (rollout?.status) {
    case 'rolled-back':
    case 'aborted':
      return rollout.spec;
    case 'waiting-ready':
    case 'progressing':
    case 'paused':
      return refuse(
        422,
        'rollout-open',
        `${model} has an open rollout, ${rollout.rollout} (${rollout.status}); abort or promote it first`,
      );
    case 'promoted':
      return refuse(
        409,
        'nothing-to-retry',
        `the last rollout of ${model}, ${rollout.rollout}, is promoted; only one that was rolled back or aborted can be tried again`,
      );
    case undefined:
      return refuse(409, 'nothing-to-retry', `${model} has had no rollout; apply a rollout file first`);
  }
}

/** What all commands have in common. */
function Command(id: string, summary: string, role: Role = 'operate'): MethodDecorator {
  return all([
    HttpCode(200),
    ApiParam(MODEL),
    ApiHeader(IDEMPOTENCY_HEADER),
    ApiHeader(ACTOR_HEADER),
    Documented({
      id,
      role,
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
        'unknown-model',
        'no-open-rollout',
        'body-too-large',
        'unsupported-media-type',
        'invalid-input',
        'rollout-open',
        'kafka-away',
        'no-answer',
      ],
    }),
  ]);
}
