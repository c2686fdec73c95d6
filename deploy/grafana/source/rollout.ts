import { dashboard, labelVariable, stat, timeseries } from './panels.js';

const OF_MODEL = 'model="$model"';

/** One model's rollout: its weights, its checks with their limits, and what its versions answer. */
export const rollout = dashboard({
  uid: 'model-canary-rollout',
  title: 'Model Canary / Rollout',
  description:
    'One model: weights set and as they came out, each check with its interval and limit, traffic, errors and latency by version.',
  variables: [labelVariable('model', 'model_canary_version_weight_ratio')],
  annotations: [
    [
      `changes(max by (version) (model_canary_version_weight_ratio{${OF_MODEL}})[1m:15s]) > 0`,
      'weights changed ({{version}})',
    ],
  ],
  panels: [
    stat({
      title: 'Status',
      description: 'Of the newest rollout.',
      width: 6,
      queries: [[`max by (status) (model_canary_rollout_status_info{${OF_MODEL}})`, '{{status}}']],
    }),
    stat({
      title: 'Step',
      description: 'Of an open rollout, from 1.',
      width: 4,
      queries: [[`max(model_canary_rollout_step{${OF_MODEL}})`, 'step']],
    }),
    stat({
      title: 'Held or waiting for a person',
      description: 'For how long, and why.',
      unit: 's',
      width: 8,
      queries: [
        [`max by (reason) (model_canary_rollout_held_seconds{${OF_MODEL}})`, 'held: {{reason}}'],
        [`max by (reason) (model_canary_rollout_paused_seconds{${OF_MODEL}})`, 'paused: {{reason}}'],
      ],
    }),
    stat({
      title: 'Age of the verdict',
      description: 'Of the data that it rests on.',
      unit: 's',
      width: 6,
      queries: [[`max(model_canary_verdict_age_seconds{${OF_MODEL}})`, 'age']],
    }),
    timeseries({
      title: 'Weights: set and actual',
      description: 'Set by decisions; actual as the predictions counted in the step came out; and as routers routed.',
      unit: 'percentunit',
      width: 12,
      queries: [
        [`max by (version) (model_canary_version_weight_ratio{${OF_MODEL}})`, '{{version}} set'],
        [`max by (version) (model_canary_version_actual_weight_ratio{${OF_MODEL}})`, '{{version}} actual'],
        [`model_canary:version_traffic:ratio1m{${OF_MODEL}}`, '{{version}} routed'],
      ],
    }),
    timeseries({
      title: 'Evidence against the canary',
      description: 'ln, over all checks. At the limit it is rolled back.',
      width: 12,
      queries: [
        [`max(model_canary_rollout_log_evidence{${OF_MODEL}})`, 'evidence'],
        [`max(model_canary_rollout_log_evidence_limit{${OF_MODEL}})`, 'limit'],
      ],
    }),
    ...(['ratio', 'seconds', 'number'] as const).map((unit) =>
      timeseries({
        title: {
          ratio: 'Rates: canary - stable',
          seconds: 'Latency: canary - stable',
          number: 'Own means: canary - stable',
        }[unit],
        description: 'The difference, its 95 % interval, which holds at every look, and the limit.',
        unit: { ratio: 'percentunit', seconds: 's', number: 'short' }[unit],
        width: 8,
        queries: [
          [`max by (check, bound) (model_canary_check_difference{${OF_MODEL}, unit="${unit}"})`, '{{check}} {{bound}}'],
          [`max by (check) (model_canary_check_limit{${OF_MODEL}, unit="${unit}"})`, '{{check}} limit'],
        ],
      }),
    ),
    timeseries({
      title: 'Evidence by check',
      description: 'ln of the evidence that the canary is beyond a limit (fail), or within it (pass).',
      width: 12,
      queries: [[`max by (check, side) (model_canary_check_log_evidence{${OF_MODEL}})`, '{{check}} {{side}}']],
    }),
    timeseries({
      title: 'Figures by check and arm',
      description: 'As the newest verdict has them: ratios, seconds, or own numbers.',
      width: 12,
      queries: [[`max by (check, arm) (model_canary_check_value{${OF_MODEL}})`, '{{check}} {{arm}}']],
    }),
    timeseries({
      title: 'Predictions',
      description: 'Routed in a second, by version.',
      unit: 'reqps',
      width: 8,
      queries: [[`model_canary:predictions:rate1m{${OF_MODEL}}`, '{{version}}']],
    }),
    timeseries({
      title: 'Not ok',
      description: 'Errors, timeouts and overloads as a share of the predictions.',
      unit: 'percentunit',
      width: 8,
      queries: [[`model_canary:predictions_not_ok:ratio1m{${OF_MODEL}}`, '{{version}}']],
    }),
    timeseries({
      title: 'Latency',
      description: 'From routing to the last byte, as routers saw it.',
      unit: 's',
      width: 8,
      queries: (['p50', 'p95', 'p99'] as const).map((quantile) => [
        `model_canary:prediction_duration_seconds:${quantile}_5m{${OF_MODEL}}`,
        `{{version}} ${quantile}`,
      ]),
    }),
  ],
});
