import { CHECK_HEADS, checkCells, DECISION_HEADS, decisionCells, type Report } from './report.js';

export function reportMarkdown(report: Report): string {
  const lines = [
    `# ${escaped(report.title)}`,
    '',
    ...report.summary.map(([label, text]) => `- **${label}:** ${escaped(text)}`),
    '',
    '## Why',
    '',
    escaped(report.why),
    '',
    '## Checks',
    '',
    ...(report.checks.length > 0 ? table(CHECK_HEADS, report.checks.map(checkCells)) : ['None has been compared yet.']),
    '',
    '## Decisions',
    '',
    ...(report.decisions.length > 0 ? table(DECISION_HEADS, report.decisions.map(decisionCells)) : ['None yet.']),
    '',
    `_Made by canaryctl at ${report.madeAt}._`,
    '',
  ];
  return lines.join('\n');
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(heads),
  row(heads.map(() => '---')),
  ...rows.map((cells) => row(cells.map(escaped))),
];

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Reasons hold what people wrote: it is text, not Markdown or HTML. */
const escaped = (text: string): string => text.replaceAll(/[\\`*_{}[\]<>#|&]/g, '\\$&').replaceAll(/\s+/g, ' ');
