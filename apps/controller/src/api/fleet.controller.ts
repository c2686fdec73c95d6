import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ModelDirectory } from '../reading/model-directory.js';
import { RolloutJournal } from '../reading/rollout-journal.js';
import { Documented, DocumentedStream } from './documented.js';
import { EventStreams } from './event-streams.js';
import { fleetRow } from './fleet-rows.js';
import type { Fleet, FleetChange, FleetRow } from './schemas.js';

/** Of a model with an open rollout there are four verdicts a second; nobody reads a list that fast. */
const ROUND_MS = 1_000;

@ApiTags('fleet')
@Controller('api/v1/fleet')
export class FleetController {
  constructor(
    @Inject(ModelDirectory) private readonly directory: ModelDirectory,
    @Inject(RolloutJournal) private readonly journal: RolloutJournal,
    @Inject(EventStreams) private readonly streams: EventStreams,
  ) {}

  @Get()
  @Documented({
    id: 'listFleet',
    role: 'read',
    summary: 'All models, one short line each: what a list of many shows.',
    answers: { 200: { schema: 'Fleet', description: 'By name.' } },
  })
  list(): Fleet {
    return { models: this.directory.all().map((state) => fleetRow(state, this.journal)) };
  }

  @Get('events')
  @DocumentedStream({
    id: 'followFleet',
    role: 'read',
    summary: 'Lines that changed, once a second, as server-sent events.',
    description:
      'Events are named fleet, with a FleetChange as their data; or reset: what was missed cannot be told, read everything anew. With Last-Event-ID it begins with the lines that have changed since.',
    example: 'id: d0.c-s0.4-v0.1x\nevent: fleet\ndata: {"models":[{"model":"digits", ...}],"gone":[]}\n\n',
  })
  events(@Res() reply: FastifyReply, @Headers() headers: { readonly 'last-event-id'?: string }): void {
    reply.hijack();
    this.streams.serveDigest({
      response: reply.raw,
      lastEventId: headers['last-event-id'],
      event: 'fleet',
      everyMs: ROUND_MS,
      digest: (models) => this.change(models),
    });
  }

  private change(names: ReadonlySet<string>): FleetChange {
    const models: FleetRow[] = [];
    const gone: string[] = [];
    for (const name of names) {
      const state = this.directory.find(name);
      if (state) models.push(fleetRow(state, this.journal));
      else gone.push(name);
    }
    return { models, gone };
  }
}
