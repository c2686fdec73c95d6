import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Clock } from '@app/shared';
import type { ControllerSettings } from '../config.js';
import { Documented } from './documented.js';
import type { ConsoleView } from './schemas.js';
import { CLOCK, SETTINGS } from './tokens.js';

@ApiTags('console')
@Controller('api/v1/console')
export class ConsoleController {
  constructor(
    @Inject(SETTINGS) private readonly settings: ControllerSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Documented({
    id: 'getConsole',
    role: 'read',
    summary: 'What the console has to know before it shows anything.',
    answers: { 200: { schema: 'Console', description: 'What it may offer, and what time it is.' } },
  })
  get(): ConsoleView {
    return { readOnly: this.settings.CONSOLE_READ_ONLY, nowMs: this.clock.nowMs() };
  }
}
