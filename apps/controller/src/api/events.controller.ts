import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EventStreams } from './event-streams.js';
import { EventsQuery } from './requests.js';

@ApiTags('events')
@ApiBearerAuth()
@Controller('api/v1/events')
export class EventsController {
  constructor(@Inject(EventStreams) private readonly streams: EventStreams) {}

  @Get()
  @ApiOperation({ summary: 'Decisions and verdicts as they come, as server-sent events.' })
  @ApiProduces('text/event-stream')
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
