/** A further way in, beside the plain one. */
export interface KafkaListener {
  /** Letters and digits. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** What clients are told to connect to, if it is not the listener itself: a proxy before it. */
  readonly advertisedPort?: number;
  /** Of this listener alone. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A listener of a node, and where it listens. */
export interface KafkaLink extends KafkaListener {
  readonly port: number;
}

export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly links: readonly KafkaLink[];
}

/** server.properties of one node. With three nodes everything is on all of them, and two must have it. */
export function nodeProperties(
  node: KafkaNode,
  nodes: readonly KafkaNode[],
  { logDir, settings = {} }: { readonly logDir: string; readonly settings?: Readonly<Record<string, string>> },
): string {
  const { id, port, controllerPort, links } = node;
  const replicas = nodes.length >= 3 ? 3 : 1;
  const inSync = replicas === 3 ? 2 : 1;
  const at = (name: string, of: number): string => `${name}://127.0.0.1:${of}`;
  const listeners = [at('PLAINTEXT', port), ...links.map((link) => at(link.name, link.port))];
  const advertised = [at('PLAINTEXT', port), ...links.map((link) => at(link.name, link.advertisedPort ?? link.port))];
  const protocols = [
    'PLAINTEXT:PLAINTEXT',
    'CONTROLLER:PLAINTEXT',
    ...links.map((link) => `${link.name}:${link.protocol}`),
  ];
  const ofLinks = links.flatMap((link) =>
    Object.entries(link.settings ?? {}).map(
      ([key, value]) => `listener.name.${link.name.toLowerCase()}.${key}=${value}`,
    ),
  );
  const more = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return `process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${nodes.map((n) => `${n.id}@127.0.0.1:${n.controllerPort}`).join(',')}
controller.listener.names=CONTROLLER
listeners=${[...listeners, at('CONTROLLER', controllerPort)].join(',')}
listener.security.protocol.map=${protocols.join(',')}
inter.broker.listener.name=PLAINTEXT
advertised.listeners=${advertised.join(',')}
log.dirs=${logDir}
auto.create.topics.enable=false
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=${inSync}
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=${inSync}
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=33554432
${[...ofLinks, ...more].join('\n')}
`;
}
