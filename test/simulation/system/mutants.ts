import type { SourceChange } from './machine/module-hooks.js';
import type { Focus } from './plan/make-plan.js';

/** A fault in a service that the simulation has to find, by one of the seeds named. */
export interface Mutant {
  readonly name: string;
  /** A seed that finds it; `npm run test:simulation -- --mutants` looks for them. */
  readonly seed: number;
  /** The faults that it takes, where they are rare among those of all seeds. */
  readonly focus?: Focus;
  readonly changes: readonly SourceChange[];
}

const change = (file: string, find: string | RegExp, replace: string): SourceChange => ({ file, find, replace });

/** One for each rule that the simulation is there to hold; in the text that the compiler makes of the services. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a store that does not look at the position',
    seed: 2,
    changes: [
      change('slot-store/memory-slot-store', '(stored?.position ?? null) !== change.expectedPosition', 'false'),
    ],
  },
  {
    name: 'an owner of models that fences nobody',
    seed: 5,
    focus: { kinds: ['pause'], machines: 'evaluator', shape: { evaluators: 2 } },
    changes: [
      change('model-owner/owner-session', '`${deps.transactionalIdBase}-${owner}`', '`${owner}-${Math.random()}`'),
    ],
  },
  {
    name: 'an owner of models that fences only when it writes',
    seed: 331,
    focus: { kinds: ['pause', 'pause', 'flush', 'roll-back'], machines: 'evaluator', shape: { evaluators: 2 } },
    changes: [change('model-owner/owner-session', 'await producer.fence();', '')],
  },
  {
    name: 'a controller that fences nobody',
    seed: 7,
    focus: { kinds: ['pause'], machines: 'controller', shape: { controllers: 2 } },
    changes: [
      change(
        'ownership/partition-owner',
        '`${deps.transactionalIdPrefix}-${partition}`',
        '`${partition}-${Math.random()}`',
      ),
    ],
  },
  {
    name: 'a controller that does not read the states before it decides',
    seed: 2,
    changes: [change('ownership/partition-owner', 'await this.states.readToEnd();', '')],
  },
  {
    name: 'verdicts about another generation are carried out',
    seed: 22,
    changes: [
      change('rollout/on-verdict', 'verdict.generation !== draft.state.generation', 'false'),
      change('rollout/on-verdict', "rollout.status === 'progressing' && verdict.step !== rollout.step", 'false'),
    ],
  },
  {
    name: 'verdicts are carried out however old they are',
    seed: 7,
    focus: { kinds: ['slow-partition', 'pause', 'crash'], machines: 'controller', shape: { controllers: 1 } },
    changes: [change('rollout/on-verdict', 'nowMs - about.asOf > VERDICT_AGE_MS_MAX', 'false')],
  },
  {
    name: 'a failing canary is left alone while its rollout is paused',
    seed: 1,
    changes: [
      change(
        'rollout/on-verdict',
        "if (verdict.result === 'fail')",
        "if (verdict.result === 'fail' && rollout.status !== 'paused')",
      ),
    ],
  },
  {
    name: 'a command that comes twice acts twice',
    seed: 53,
    changes: [change('rollout/transition', /if \(done\)/, 'if (false)')],
  },
  {
    name: 'labels count twice',
    seed: 2,
    changes: [change('slot/open-stratum', 'if (this.seen.has(tag))', 'if (false)')],
  },
  {
    name: 'records that come twice count twice',
    seed: 27,
    changes: [change('slot/outcome-slot', 'sequence <= lane.sequence', 'false')],
  },
  {
    name: 'buckets with losses count',
    seed: 53,
    changes: [change('slot/open-bucket', 'dropped !== 0 || cells !== routed - pending', 'false')],
  },
  {
    name: 'a slot takes any batch for the next one',
    seed: 6,
    focus: { kinds: ['roll-back', 'refuse-writes', 'network'], machines: 'evaluator' },
    changes: [change('slot-owner/slot-keeper', 'stored && fetchedOffset === position', 'stored')],
  },
  {
    name: 'bad records are dropped without a word',
    seed: 5,
    changes: [change('slot-owner/slot-keeper', 'await this.deadLetter(folder, folded, batch);', '')],
  },
  {
    name: 'a takeover begins at the checkpoint and leaves out the cuts after it',
    seed: 7,
    changes: [
      change('model-owner/takeover', 'baseOf(deps, found), published.cuts, signal', 'baseOf(deps, found), [], signal'),
    ],
  },
  {
    name: 'summaries are trimmed up to every cut',
    seed: 1,
    focus: { kinds: ['crash'], machines: 'evaluator' },
    changes: [change('model-owner/owner-session', 'if (checkpoint.length > 0)', 'if (true)')],
  },
  {
    name: 'users are dealt anew at each prediction',
    seed: 1,
    changes: [
      change(
        'domain/assignment',
        'Math.floor((xxh32(`${ASSIGNMENT_VERSION}:${salt}:${unit}`)',
        'Math.floor((Math.random() * 2 ** 32',
      ),
    ],
  },
];
