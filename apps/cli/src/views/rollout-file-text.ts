/** What `canaryctl init` asks for. */
export interface RolloutAnswers {
  readonly model: string;
  readonly stable: { readonly version: string; readonly url: string };
  readonly canary: { readonly version: string; readonly url: string };
  /** JSON pointer to the predicted class in an answer; empty: accuracy is not compared. */
  readonly pointer: string;
  readonly labelsWithin: string;
  /** Shares of the canary in per cent, rising, the last one 100. */
  readonly shares: readonly number[];
  /** How long the canary serves everybody before it is promoted. */
  readonly bake: string;
}

/** A rollout file that says what each of its lines does. */
export function rolloutFileText(answers: RolloutAnswers): string {
  const { model, stable, canary, pointer, labelsWithin, shares, bake } = answers;
  const steps = shares.map((share) => stepLine(answers, share, share === 100 ? bake : undefined));
  return [
    `# Rolls ${canary.version} out beside ${stable.version}. Check it:  canaryctl lint -f <this file> --rate <predictions/s>`,
    `# Rehearse it:  canaryctl simulate -f <this file> --rate <predictions/s>.  Start it:  canaryctl apply -f <this file>`,
    `model: ${quoted(model)}`,
    `stable: { version: ${quoted(stable.version)}, url: ${quoted(stable.url)} } # what serves now`,
    `canary: { version: ${quoted(canary.version)}, url: ${quoted(canary.url)} } # what is tried`,
    ...(pointer === ''
      ? [
          '# prediction: { pointer: /outputs/0/data/0, kind: class } # where an answer holds the class; accuracy needs it',
        ]
      : [
          `prediction: { pointer: ${quoted(pointer)}, kind: class } # where an answer holds the class, as a JSON pointer`,
        ]),
    'steps: # fractions of the traffic that sum to 1; a step passes when every check has passed',
    ...steps,
    '  # - { pause: {} } between two steps waits for a person: canaryctl promote',
    'checks: # all of them watch all the time; each has a default, and off switches one off',
    '  errorRate: { maxIncrease: 0.01, max: 0.5 } # at most one point more errors than stable; never more than half',
    '  latency: { p50: { maxRatio: 1.2 }, p99: { maxRatio: 1.2 } } # at most 20 % slower, to the last byte',
    pointer === ''
      ? '  accuracy: off # needs prediction above, and labels'
      : `  accuracy: { maxDrop: 0.02, labelsWithin: ${labelsWithin} } # at most two points less often right, by labels that come within this time`,
    'onInconclusive: pause # when the data decides nothing in time: pause for a person, or rollback',
    '',
  ].join('\n');
}

function stepLine({ stable, canary }: RolloutAnswers, share: number, bake: string | undefined): string {
  const rest = Number((1 - share / 100).toFixed(4));
  const split = `${quoted(stable.version)}: ${rest}, ${quoted(canary.version)}: ${Number((share / 100).toFixed(4))}`;
  return bake === undefined
    ? `  - { traffic_split: { ${split} } }`
    : `  - { traffic_split: { ${split} }, atLeast: { duration: ${bake} } } # the bake: everybody, before it is promoted`;
}

/** As YAML text: quotes only where a plain word would be read as something else. */
const quoted = (text: string): string =>
  /^[A-Za-z/][A-Za-z0-9._:/~-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text) && !text.endsWith(':')
    ? text
    : JSON.stringify(text);
