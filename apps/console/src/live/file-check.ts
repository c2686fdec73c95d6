import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.js';
import type { ControllerApi } from '../api/controller-api.js';
import { type Check, findingOf } from '../domain/findings.js';

const AFTER_TYPING_MS = 350;

/** Asks the API about a rollout file whenever nothing has been typed for a moment. Nothing is carried out. */
export function useFileCheck(api: ControllerApi, file: string, predictionsPerSecond: number | null): Check {
  const [check, setCheck] = useState<Check>({ kind: 'empty' });
  useEffect(() => {
    if (file.trim() === '') return setCheck({ kind: 'empty' });
    setCheck((before) => (before.kind === 'right' || before.kind === 'refused' ? before : { kind: 'checking' }));
    const asking = new AbortController();
    const timer = setTimeout(() => {
      askAbout(api, file, { predictionsPerSecond, signal: asking.signal }).then(
        (said) => !asking.signal.aborted && setCheck(said),
        () => undefined, // aborted: something newer is asked
      );
    }, AFTER_TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [api, file, predictionsPerSecond]);
  return check;
}

async function askAbout(
  api: ControllerApi,
  file: string,
  { predictionsPerSecond, signal }: { readonly predictionsPerSecond: number | null; readonly signal: AbortSignal },
): Promise<Check> {
  try {
    const { spec, warnings, estimate, changed } = await api.apply(file, { dryRun: true, predictionsPerSecond, signal });
    const all = [...warnings, ...(estimate?.warnings ?? [])];
    return { kind: 'right', spec, estimate, changed, findings: all.map((one) => findingOf(one, 'warning')) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (
      error.status === 0 ||
      error.status >= 500 ||
      error.status === 401 ||
      error.status === 403 ||
      error.status === 429
    )
      return { kind: 'unknown', why: error.message };
    const findings = error.problems.map((problem) => findingOf(problem, 'error'));
    if (findings.length > 0) return { kind: 'refused', findings };
    return { kind: 'refused', findings: [{ severity: 'error', text: error.message, line: null, column: null }] };
  }
}
