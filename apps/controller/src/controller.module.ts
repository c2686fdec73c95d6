import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  type BusProducer,
  type Clock,
  type Health,
  HealthModule,
  type TopicNames,
  type WindowReader,
} from '@app/shared';
import { AccessGuard } from './api/auth/access-guard.js';
import { MeController } from './api/me.controller.js';
import { CommandDesk } from './api/command-desk.js';
import { ConsoleController } from './api/console.controller.js';
import { CommandsController } from './api/commands.controller.js';
import { EventStreams } from './api/event-streams.js';
import { EventsController } from './api/events.controller.js';
import { FleetController } from './api/fleet.controller.js';
import { LabelsController } from './api/labels.controller.js';
import { ModelsController } from './api/models.controller.js';
import { RolloutHistoryController } from './api/rollout-history.controller.js';
import { RolloutsController } from './api/rollouts.controller.js';
import { CLOCK, PRODUCER, SETTINGS, TOPIC_NAMES, WINDOWS } from './api/tokens.js';
import { TrafficRate } from './api/traffic-rate.js';
import type { ControllerSettings } from './config.js';
import type { ControllerMetrics } from './metrics.js';
import { ModelDirectory } from './reading/model-directory.js';
import { RolloutJournal } from './reading/rollout-journal.js';
import { VerdictHistory } from './reading/verdict-history.js';

/** The running parts that the API is a window to. */
export interface ControllerParts {
  readonly settings: ControllerSettings;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly metrics: ControllerMetrics;
  readonly health: Health;
  readonly producer: BusProducer;
  readonly directory: ModelDirectory;
  readonly journal: RolloutJournal;
  readonly verdictHistory: VerdictHistory;
  readonly desk: CommandDesk;
  readonly streams: EventStreams;
  readonly traffic: TrafficRate;
  readonly windows: WindowReader | undefined;
}

@Module({})
export class ControllerModule {
  static register(parts: ControllerParts): DynamicModule {
    const providers: Provider[] = [
      { provide: ModelDirectory, useValue: parts.directory },
      { provide: RolloutJournal, useValue: parts.journal },
      { provide: VerdictHistory, useValue: parts.verdictHistory },
      { provide: CommandDesk, useValue: parts.desk },
      { provide: EventStreams, useValue: parts.streams },
      { provide: TrafficRate, useValue: parts.traffic },
      { provide: CLOCK, useValue: parts.clock },
      { provide: SETTINGS, useValue: parts.settings },
      { provide: WINDOWS, useValue: parts.windows },
      { provide: PRODUCER, useValue: parts.producer },
      { provide: TOPIC_NAMES, useValue: parts.topics },
      { provide: APP_GUARD, useClass: AccessGuard },
    ];
    return {
      module: ControllerModule,
      imports: [HealthModule.register({ health: parts.health, registry: parts.metrics.registry })],
      controllers: [
        RolloutsController,
        ModelsController,
        CommandsController,
        LabelsController,
        EventsController,
        MeController,
        RolloutHistoryController,
        FleetController,
        ConsoleController,
      ],
      providers,
    };
  }
}
