import { checkTopics, type Clock, type Logger, type MessageBus, type TopicNames } from '@app/shared';
import { CommandDesk, type Order } from '../../../../apps/controller/src/api/command-desk.js';
import type { ControllerMetrics } from '../../../../apps/controller/src/metrics.js';
import { Ownership } from '../../../../apps/controller/src/ownership/ownership.js';
import type { ReadinessProbe } from '../../../../apps/controller/src/ownership/readiness-probe.js';
import { EventLog } from '../../../../apps/controller/src/reading/event-log.js';
import { ModelDirectory } from '../../../../apps/controller/src/reading/model-directory.js';
import type { Service } from './machine.js';

export interface ControllerProcessParts {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readiness: ReadinessProbe;
  readonly metrics: ControllerMetrics;
}

const GROUP = 'controller';
const COMMAND_TIMEOUT_MS = 5_000;

/** A controller without its HTTP: who decides, and the desk that takes orders. */
export class ControllerProcess implements Service {
  private constructor(
    private readonly ownership: Ownership,
    private readonly directory: ModelDirectory,
    private readonly desk: CommandDesk,
    private readonly closeProducer: () => Promise<unknown>,
  ) {}

  static async start(parts: ControllerProcessParts): Promise<ControllerProcess> {
    const { bus, topics, clock, logger, readiness, metrics } = parts;
    const { controlPartitions } = await checkTopics(bus, topics, [
      'verdict',
      'command',
      'decision',
      'state',
      'label',
      'deadLetter',
    ]);
    const producer = bus.producer();
    const directory = new ModelDirectory({ bus, topics, logger, metrics, events: new EventLog() });
    const desk = new CommandDesk({ producer, directory, topics, clock, timeoutMs: COMMAND_TIMEOUT_MS });
    const ownership = new Ownership({
      bus,
      topics,
      clock,
      logger,
      metrics,
      readiness,
      groupId: GROUP,
      controlPartitions,
    });
    directory.watchUnreadable((refused) => ownership.refuseState(refused));
    return new ControllerProcess(ownership, directory, desk, () => producer.close());
  }

  /** As the API does it. Rejects with what the API would answer. */
  order(order: Order): ReturnType<CommandDesk['carryOut']> {
    return this.desk.carryOut(order);
  }

  async close(): Promise<void> {
    await this.ownership.close();
    await Promise.all([this.directory.close(), this.closeProducer()]);
  }
}
