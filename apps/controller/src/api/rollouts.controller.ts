import { Body, Controller, HttpStatus, Inject, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiTags } from '@nestjs/swagger';
import {
  type Clock,
  type DurationEstimate,
  estimateDuration,
  parseRolloutSpec,
  type RolloutSpec,
  type RolloutState,
} from '@app/shared';
import type { FastifyReply } from 'fastify';
import { transition } from '../domain/rollout/transition.js';
import { ModelDirectory } from '../reading/model-directory.js';
import { ACTOR_HEADER, type Asker, Asks, IDEMPOTENCY_HEADER } from './asker.js';
import { requireRole } from './auth/access-guard.js';
import { CallerIdentity } from './auth/caller-identity.js';
import type { Identity } from './auth/roles.js';
import { CommandDesk, type Order, refuseCommand } from './command-desk.js';
import { Documented, exampleRef, schemaRef } from './documented.js';
import { ProblemException, unprocessable } from './problem.js';
import { ApplyQuery } from './requests.js';
import type { Applied } from './schemas.js';
import { CLOCK } from './tokens.js';
import { TrafficRate } from './traffic-rate.js';

@ApiTags('rollouts')
@Controller('api/v1/rollouts')
export class RolloutsController {
  constructor(
    @Inject(CommandDesk) private readonly desk: CommandDesk,
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(TrafficRate) private readonly traffic: TrafficRate,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @ApiConsumes('application/json', 'text/yaml', 'application/yaml')
  @ApiBody({
    description: 'The rollout file, as JSON or as YAML text.',
    required: true,
    schema: schemaRef('RolloutFile'),
    examples: { RolloutFile: exampleRef('RolloutFile') },
  })
  @ApiHeader(IDEMPOTENCY_HEADER)
  @ApiHeader(ACTOR_HEADER)
  @Documented({
    id: 'applyRollout',
    role: 'read',
    description: 'Other than with dryRun it needs the role operate.',
    summary: 'Starts a rollout, or registers a model (a file without canary). The same file twice acts once.',
    answers: {
      200: { schema: 'Applied', description: 'A dry run, or nothing was left to do.' },
      201: { schema: 'Applied', description: 'The rollout was accepted and begins once its canary is ready.' },
    },
    problems: [
      'unreadable-request',
      'bad-header',
      'stable-differs',
      'body-too-large',
      'unsupported-media-type',
      'invalid-input',
      'rollout-open',
      'kafka-away',
      'no-answer',
    ],
  })
  async apply(
    @Body() body: unknown,
    @Query() query: ApplyQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Asks() { idempotencyKey, ...asker }: Asker,
    @CallerIdentity() identity: Identity,
  ): Promise<Applied> {
    if (!query.dryRun) requireRole(identity, 'operate');
    const parsed = parseRolloutSpec(body);
    if (!parsed.ok) throw new ProblemException(unprocessable(parsed.problems));
    const { value: spec, warnings } = parsed;
    const order = {
      model: spec.model,
      action: 'apply',
      ...asker,
      reason: query.reason ?? '',
      spec,
    } as const;
    const estimate = await this.estimate(spec, query.predictionsPerSecond);
    if (query.dryRun) {
      reply.status(HttpStatus.OK);
      return { ...this.rehearse(order), model: spec.model, dryRun: true, spec, warnings, estimate };
    }
    const before = this.directory.find(spec.model);
    const { decisions, state } = await this.desk.carryOut({ ...order, idempotencyKey });
    const changed = decisions.length > 0 || before?.rolloutCount !== state.rolloutCount;
    reply.status(changed ? HttpStatus.CREATED : HttpStatus.OK);
    const view = { ...state, commands: [] };
    return { ...result(spec, view, changed), dryRun: false, spec, warnings, estimate, decisions };
  }

  /** The state machine itself says what would happen; nothing leaves this method. */
  private rehearse(order: Order & { action: 'apply'; spec: RolloutSpec }) {
    const before = this.directory.find(order.model) ?? null;
    const nowMs = this.clock.nowMs();
    const command = { schemaVersion: 1, commandId: 'dry-run', at: nowMs, ...order } as const;
    const { state, decisions, commandResult } = transition(before, { kind: 'command', command }, { nowMs });
    if (commandResult?.result === 'refused') refuseCommand(commandResult);
    const changed = decisions.length > 0 || before?.rolloutCount !== state?.rolloutCount;
    const rollout = order.spec.canary ? (state?.rollout?.rollout ?? null) : null;
    return { rollout, changed, decisions: [], state: before && { ...before, commands: [] } };
  }

  private async estimate(spec: RolloutSpec, asked: number | undefined): Promise<DurationEstimate | null> {
    if (!spec.canary) return null;
    const perSecond = asked ?? (await this.traffic.perSecond(spec.model));
    return perSecond === null ? null : estimateDuration(spec, perSecond);
  }
}

function result(spec: RolloutSpec, state: RolloutState, changed: boolean) {
  return { model: spec.model, rollout: spec.canary ? (state.rollout?.rollout ?? null) : null, changed, state };
}
