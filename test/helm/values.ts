/** The least that must be given. */
export const LEAST = {
  kafka: { brokers: 'kafka-1:9092,kafka-2:9092' },
  redis: { secret: 'redis' },
  predictionIdKeys: { secret: 'prediction-id-keys' },
  controller: { tokens: { secret: 'tokens' } },
};

/** Everything that can be switched on, but Strimzi, which makes topics instead of the job. */
export const ALL = {
  ...LEAST,
  image: { repository: 'registry.example/model-canary', tag: '1.2.3' },
  imagePullSecrets: [{ name: 'pull' }],
  kafka: {
    ...LEAST.kafka,
    topicPrefix: 'ml.',
    tls: { enabled: true, caSecret: 'kafka-ca', clientSecret: 'kafka-client' },
    sasl: { mechanism: 'scram-sha-512', secret: 'kafka-user' },
  },
  env: { LOG_LEVEL: 'warn', TRACES: 'otlp' },
  router: {
    replicas: 3,
    kafkaSecret: 'kafka-router',
    env: { ROUTER_USER_HEADER: 'x-account', ROUTER_PRODUCERS: 6 },
    persistence: { storageClass: 'fast' },
    nodeSelector: { pool: 'edge' },
    tolerations: [{ key: 'edge', operator: 'Exists' }],
    podAnnotations: { team: 'ml' },
    service: { type: 'LoadBalancer' },
  },
  controller: {
    tokens: { secret: 'tokens', tokensKey: 'tokens.yaml' },
    notifications: { secret: 'notifications' },
  },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  prometheusRule: { enabled: true },
  dashboards: { enabled: true },
  keda: { enabled: true },
};

export const STRIMZI = {
  ...LEAST,
  kafka: { ...LEAST.kafka, topicPrefix: 'ML.' },
  strimzi: { enabled: true, cluster: 'kafka' },
};
