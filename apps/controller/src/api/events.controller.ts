import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Documented } from './documented.js';
import { EventStreams } from './event-streams.js';
import { EventsQuery } from './requests.js';

const STREAM = {
  schema: { type: 'string' },
  example: 'id: decision:digits/12\nevent: decision\ndata: {"decisionId":"digits/12", ...}\n\n',
};

@ApiTags('events')
@Controller('api/v1/events')
export class EventsController {
  constructor(@Inject(EventStreams) private readonly streams: EventStreams) {}

  @Get()
  @Documented({
    id: 'followEvents',
    role: 'read',
    summary: 'Decisions and verdicts as they come, as server-sent events.',
    description: 'Each event is named decision or verdict, has an id to resume from, and the record as its data.',
    answers: { 200: { description: 'A stream without an end.', content: { 'text/event-stream': STREAM } } },
    problems: ['invalid-input'],
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Goes on after that event, while it is still known.',
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
