import { dashboard, stat, table, timeseries } from './panels.js';

/** All models and all services, for whoever runs Model Canary. */
export const fleet = dashboard({
  uid: 'model-canary-fleet',
  title: 'Model Canary / Fleet',
  description: 'All models and services: what is rolled out, what was decided, and whether the machinery keeps up.',
  panels: [
    ...(
      [
        ['Progressing', 'progressing'],
        ['Paused', 'paused'],
        ['Waiting for a canary', 'waiting-ready'],
      ] as const
    ).map(([title, status]) =>
      stat({
        title,
        description: `Rollouts that are ${status}.`,
        width: 4,
        queries: [[`max(model_canary_rollouts{status="${status}"})`, title]],
      }),
    ),
    stat({
      title: 'Models',
      description: 'All that are known.',
      width: 4,
      queries: [['max(sum by (instance) (model_canary_rollouts))', 'models']],
    }),
    stat({
      title: 'Decisions in 10 minutes',
      description: 'Of all kinds.',
      width: 4,
      queries: [['sum(model_canary:decisions:increase10m)', 'decisions']],
    }),
    stat({
      title: 'Predictions a second',
      description: 'Through all routers.',
      unit: 'reqps',
      width: 4,
      queries: [['sum(model_canary:predictions:rate1m)', 'predictions']],
    }),
    table({
      title: 'Rollouts held or waiting for a person',
      description: 'How long, and the reason code. canaryctl explain says the rest.',
      unit: 's',
      width: 12,
      queries: [
        ['max by (model, reason) (model_canary_rollout_held_seconds)', ''],
        ['max by (model, reason) (model_canary_rollout_paused_seconds)', ''],
      ],
    }),
    timeseries({
      title: 'Decisions',
      description: 'By what was done and why, within ten minutes.',
      width: 12,
      queries: [['model_canary:decisions:increase10m > 0', '{{action}}: {{reason}}']],
    }),
    timeseries({
      title: 'Predictions by model',
      description: 'Routed in a second.',
      unit: 'reqps',
      width: 12,
      queries: [['sum by (model) (model_canary:predictions:rate1m)', '{{model}}']],
    }),
    timeseries({
      title: 'Not ok by model and version',
      description: 'Errors, timeouts and overloads as a share of the predictions.',
      unit: 'percentunit',
      width: 12,
      queries: [['model_canary:predictions_not_ok:ratio1m', '{{model}} {{version}}']],
    }),
    timeseries({
      title: 'Outcomes held by routers',
      description: 'On the way to Kafka, and spooled on disk while it is away.',
      width: 8,
      queries: [['sum by (instance, state) (model_canary_router_outcomes_held)', '{{instance}} {{state}}']],
    }),
    timeseries({
      title: 'Spool',
      description: 'Share of its limit.',
      unit: 'percentunit',
      width: 8,
      queries: [['model_canary_router_spool_bytes / model_canary_router_spool_limit_bytes', '{{instance}}']],
    }),
    timeseries({
      title: 'Evaluator lag',
      description: 'Records of each partition that are still to be read.',
      width: 8,
      queries: [['max by (slot) (model_canary_evaluator_slot_lag_records)', '{{slot}}']],
    }),
    timeseries({
      title: 'Age of evidence',
      description: 'Of the newest cut, and since a bucket was last sealed.',
      unit: 's',
      width: 8,
      queries: [
        ['max(model_canary_evaluator_cut_lag_seconds)', 'newest cut'],
        ['min(model_canary_evaluator_sealed_bucket_age_seconds)', 'newest sealed bucket'],
      ],
    }),
    timeseries({
      title: 'Buckets left out and dead letters',
      description: 'Evidence that is not counted, and records that cannot be used.',
      width: 8,
      queries: [
        ['sum by (cause) (rate(model_canary_evaluator_buckets_left_out_total[5m]))', 'left out: {{cause}}'],
        ['model_canary:dead_letters:increase10m > 0', 'dead letter: {{cause}}'],
      ],
    }),
    timeseries({
      title: 'Event-loop lag, p99',
      description: 'Of every process.',
      unit: 's',
      width: 8,
      queries: [
        [
          'model_canary_nodejs_eventloop_lag_p99_seconds * on (instance) group_left (service) model_canary_build_info',
          '{{service}} {{instance}}',
        ],
      ],
    }),
  ],
});
