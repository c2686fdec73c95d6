import { isMap, isPair, LineCounter, parseDocument, type ErrorCode } from 'yaml';
import type { Parsed, Problem } from '../result.js';
import type { Locate, Path } from './findings.js';

/** A rollout file as read: plain data, and where in the text each part of it stands. */
export interface FileSource {
  readonly data: unknown;
  readonly locate: Locate;
}

const TEXT_LENGTH_MAX = 1_000_000;
const REMEDIES: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'this key stands twice in the same place: keep one of them',
  MULTIPLE_DOCS: 'a file holds one rollout: put the part after --- into a file of its own',
  TAB_AS_INDENT: 'YAML is indented with spaces: replace the tab',
};

/** Reads YAML (and so JSON) text; anything but text is taken as the data itself. Codes: not-yaml, too-long. */
export function readSource(input: unknown): Parsed<FileSource> {
  if (typeof input !== 'string') return { ok: true, value: { data: input, locate: () => undefined } };
  if (input.length > TEXT_LENGTH_MAX)
    return refuse([
      { field: '', code: 'too-long', message: `a rollout file has at most ${TEXT_LENGTH_MAX} characters` },
    ]);
  const lines = new LineCounter();
  const document = parseDocument(input, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    return refuse(
      document.errors.slice(0, 5).map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        const text = REMEDIES[error.code] ?? error.message;
        const message = `the YAML cannot be read at line ${line}, column ${col}: ${text}`;
        return { field: '', code: 'not-yaml', message, line, column: col };
      }),
    );
  const locate: Locate = (path, part) => {
    const offset = part === 'key' ? keyOffset(document, path) : valueOffset(document, path);
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  try {
    return { ok: true, value: { data: document.toJS() as unknown, locate } };
  } catch (error) {
    // An alias that is not defined, or a file made of aliases that would fill the memory.
    return refuse([{ field: '', code: 'not-yaml', message: `the YAML cannot be read: ${(error as Error).message}` }]);
  }
}

type Document = ReturnType<typeof parseDocument>;

/** Offset of what stands at a path; of the nearest part above it that exists, if it does not. */
function valueOffset(document: Document, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const offset = (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return undefined;
}

function keyOffset(document: Document, path: Path): number | undefined {
  const name = path.at(-1);
  const parent: unknown = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return valueOffset(document, path);
  const pair = parent.items.find((item) => isPair(item) && String(item.key) === String(name));
  return (pair?.key as { range?: readonly number[] } | undefined)?.range?.[0] ?? valueOffset(document, path);
}

function refuse(problems: readonly Problem[]): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems };
}
