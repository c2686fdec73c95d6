import {
  type BusRecord,
  cloudEventData,
  type Command,
  commandCodec,
  cutCodec,
  type Parsed,
  parseRolloutSpec,
  rolloutFileOf,
  type RolloutSpec,
  type RolloutState,
  rolloutStateCodec,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import type { DeadLetterCause } from './records.js';

export type VerdictRecord =
  { readonly kind: 'verdict'; readonly verdict: Verdict } | { readonly kind: 'cut' } | Unusable;
export type CommandRecord = { readonly kind: 'command'; readonly command: Command } | Unusable;
export type StateRecord =
  { readonly kind: 'state'; readonly state: RolloutState } | { readonly kind: 'tombstone' } | Unusable;
export interface Unusable {
  readonly kind: 'unusable';
  readonly cause: DeadLetterCause;
}

/** A record of rollout-state: only the one whose key names its model counts. */
export function readStateRecord(record: BusRecord): StateRecord {
  if (record.value === null) return { kind: 'tombstone' };
  const state = rolloutStateCodec.decode(cloudEventData(record.value, record.headers ?? {}));
  if (!state.ok) return unusable(state);
  const key = record.key?.toString('utf8') ?? '';
  if (state.value.model === key) return { kind: 'state', state: state.value };
  return unusable(refused('model', 'other-model', `the key names ${key || 'nothing'}, the state ${state.value.model}`));
}

/** A record of rollout-verdict. */
export function readVerdictRecord(record: BusRecord): VerdictRecord {
  const data = cloudEventData(record.value, record.headers ?? {});
  if (kindOf(data) === 'cut') {
    const cut = cutCodec.decode(data);
    return cut.ok ? { kind: 'cut' } : unusable(cut);
  }
  const verdict = verdictCodec.decode(data);
  return verdict.ok ? { kind: 'verdict', verdict: verdict.value } : unusable(verdict);
}

/** A record of rollout-command. Anyone may write to the topic, so a spec is checked as strictly as a file. */
export function readCommandRecord(record: BusRecord): CommandRecord {
  const decoded = commandCodec.decode(cloudEventData(record.value, record.headers ?? {}));
  if (!decoded.ok) return unusable(decoded);
  const command = decoded.value;
  if (command.action !== 'apply') return { kind: 'command', command };
  const spec = checkSpec(command.spec, command.model);
  return spec.ok ? { kind: 'command', command: { ...command, spec: spec.value } } : unusable(spec);
}

/** A normalised spec is right if the file that says the same is. */
function checkSpec(spec: unknown, model: string): Parsed<RolloutSpec> {
  let file: unknown;
  try {
    file = rolloutFileOf(spec as RolloutSpec);
  } catch (error) {
    return refused('spec', 'wrong-type', `spec: is not a rollout spec (${(error as Error).message})`);
  }
  const parsed = parseRolloutSpec(file);
  if (parsed.ok && parsed.value.model !== model) {
    return refused('spec.model', 'other-model', `spec.model is ${parsed.value.model}, the command is for ${model}`);
  }
  return parsed;
}

function refused(field: string, code: string, message: string): Parsed<never> {
  return { ok: false, problems: [{ field, code, message }] };
}

function kindOf(data: Buffer | null): unknown {
  if (data === null) return undefined;
  try {
    return (JSON.parse(data.toString('utf8')) as { kind?: unknown } | null)?.kind;
  } catch {
    return undefined; // the codec says what is wrong with it
  }
}

function unusable(parsed: Parsed<unknown>): Unusable {
  const problems = parsed.ok ? [] : parsed.problems;
  return {
    kind: 'unusable',
    cause: { code: problems[0]?.code ?? 'unusable', text: problems.map((p) => p.message).join('; ') },
  };
}
