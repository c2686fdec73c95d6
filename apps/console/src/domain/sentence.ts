/**
 * Reasons begin in lower case, as parts of longer sentences; here one stands alone. `names` of models, versions and
 * rollouts are written as they are called.
 */
export function sentence(text: string, names: readonly string[] = []): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const first = trimmed.split(/[\s:,]/, 1)[0]!;
  const isName = names.includes(first) || /\d/.test(first.replace(/^p\d\d$/, ''));
  const head = isName ? trimmed[0]! : trimmed[0]!.toUpperCase();
  return `${head}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
