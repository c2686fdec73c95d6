import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly seed: number;
  readonly json: boolean;
  readonly kafka: boolean;
  /** Goes on serving after the last rollout, until it is interrupted. */
  readonly stay: boolean;
}

export const USAGE = `npm run demo -- [options]
  --kafka     router, evaluator and controller as processes on a real Kafka and Redis (the ones that
              KAFKA_BROKERS and REDIS_URL name, or local ones, started for the demo)
  --seed N    another order of digits, users and delays; default 1
  --stay      goes on with its traffic and its page after the last rollout, until Ctrl-C
  --json      one JSON summary on standard output instead of the screen
  --help`;

/** A sentence on what is wrong, or the options; null: help is wanted. */
export function readOptions(args: readonly string[]): DemoOptions | string | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        kafka: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        stay: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
      },
    });
    if (values.help) return null;
    if (!/^\d{1,9}$/.test(values.seed)) return `--seed ${values.seed}: write a whole number, e.g. --seed 7`;
    return { seed: Number(values.seed), json: values.json, kafka: values.kafka, stay: values.stay };
  } catch (error) {
    return (error as Error).message;
  }
}
