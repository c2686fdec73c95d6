import { createTopicsFor, loadConfig, MemoryBus, silentLogger, systemClock, topicNames } from '@app/shared';
import { ControllerConfig } from '../../apps/controller/src/config.js';
import { startController } from '../../apps/controller/src/start.js';

/** The OpenAPI document as a controller serves it, here one that has no Kafka. */
export async function controllerDocument(): Promise<object> {
  const [bus, topics] = [new MemoryBus(), topicNames()];
  await createTopicsFor(bus, topics, { dataPartitions: 1, controlPartitions: 1 });
  const config = loadConfig(ControllerConfig, { KAFKA_BROKERS: 'memory:1' });
  const controller = await startController({ config, topics, bus, clock: systemClock, logger: silentLogger });
  try {
    return (await (await fetch(`${controller.url}/openapi.json`)).json()) as object;
  } finally {
    await controller.close();
    await bus.close();
  }
}
