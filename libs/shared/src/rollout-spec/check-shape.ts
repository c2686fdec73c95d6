import type { TObject, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors';
import { closestName } from './closest-name.js';
import { type Findings, type Path, show } from './findings.js';
import { type RolloutFile, RolloutFileSchema } from './rollout-file.js';

const compiled = TypeCompiler.Compile(RolloutFileSchema);
const PROBLEMS_MAX = 20;

/** Whether data has the shape of a rollout file; if not, every refusal names the field, the reason and the remedy. */
export function checkShape(data: unknown, findings: Findings): data is RolloutFile {
  if (compiled.Check(data)) return true;
  const told = new Set<string>();
  for (const error of compiled.Errors(data)) {
    // One field can be wrong in several ways at once (missing, and then of no type): the first is the telling one.
    if (told.has(error.path) || told.size === PROBLEMS_MAX) continue;
    told.add(error.path);
    explain(error, findings);
  }
  return false;
}

function explain(error: ValueError, findings: Findings): void {
  const path = pathOf(error.path);
  const name = path.join('.') || 'the file';
  const remedy = error.schema.remedy;
  // Data from a program may hold undefined where a file has nothing.
  if (error.value === undefined) return findings.refuse(path, 'missing', withRemedy(`${name} is missing`, remedy));
  switch (error.type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return unknownKey(path, Object.keys((error.schema as TObject).properties), findings);
    case ValueErrorType.Union: {
      const inner = branchFor(error)?.First();
      if (inner && inner.path !== error.path) return explain(inner, findings);
      break;
    }
    default:
  }
  findings.refuse(path, 'wrong-value', withRemedy(`${name}: ${show(error.value)} ${reason(error)}`, remedy));
}

/** Of `an object, or off`, the errors of the object, when an object was written. */
function branchFor(error: ValueError): ValueError['errors'][number] | undefined {
  if (typeof error.value !== 'object' || error.value === null) return undefined;
  const branches = (error.schema.anyOf ?? []) as TSchema[];
  return error.errors[branches.findIndex((branch) => branch.type === 'object')];
}

function unknownKey(path: Path, known: readonly string[], findings: Findings): void {
  const key = String(path.at(-1));
  const meant = closestName(key, known);
  const remedy = meant ? `did you mean ${meant}?` : `known here: ${known.join(', ')}`;
  findings.refuse(path, 'unknown-key', `${path.join('.')}: there is no such key; ${remedy}`, 'key');
}

function reason(error: ValueError): string {
  switch (error.type) {
    case ValueErrorType.Number:
    case ValueErrorType.Integer:
    case ValueErrorType.String:
    case ValueErrorType.Boolean:
    case ValueErrorType.Object:
    case ValueErrorType.Array:
      return `is ${nameOf(error.value)}, not ${nameOfType(error.schema)}`;
    case ValueErrorType.NumberMinimum:
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.NumberExclusiveMinimum:
      return 'is too small';
    case ValueErrorType.NumberMaximum:
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberExclusiveMaximum:
      return 'is too large';
    default:
      return 'is not possible here';
  }
}

function nameOfType(schema: TSchema): string {
  const type = String(schema.type);
  return { integer: 'a whole number', string: 'text', array: 'a list', object: 'a map' }[type] ?? `a ${type}`;
}

function nameOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' && !Number.isInteger(value) ? 'a fraction' : `a ${typeof value}`;
}

const withRemedy = (text: string, remedy: string | undefined): string => (remedy ? `${text}: ${remedy}` : text);

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
