import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DocumentedStream } from './documented.js';
import { EventStreams } from './event-streams.js';
import { EventsQuery } from './requests.js';

@ApiTags('events')
@Controller('api/v1/events')
export class EventsController {
  constructor(@Inject(EventStreams) private readonly streams: EventStreams) {}

  @Get()
  @DocumentedStream({
    id: 'followEvents',
    role: 'read',
    summary: 'Decisions, verdicts and states of models as they come, as server-sent events.',
    description:
      'Events are named decision, verdict or state (without its decisions; null once the model is no more), with the record as their data; or reset: what was missed cannot be told, read everything anew.',
    example: 'id: d0.c-s0.4-v0.1x\nevent: decision\ndata: {"decisionId":"digits/12", ...}\n\n',
    problems: ['invalid-input'],
  })
  events(
    @Query() { model, kind }: EventsQuery,
    @Res() reply: FastifyReply,
    @Headers() headers: { readonly 'last-event-id'?: string },
  ): void {
    reply.hijack();
    this.streams.serve({
      response: reply.raw,
      wants: (event) => (model ?? event.model) === event.model && (kind ?? event.kind) === event.kind,
      lastEventId: headers['last-event-id'],
    });
  }
}
