import { CHECK_HEADS, checkCells, DECISION_HEADS, decisionCells, type Report } from './report.js';

/** Nothing is fetched and nothing runs: a ticket system may show it, and it prints on one page. */
const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
tr.failed td { font-weight: 600; } tr.failed td:last-child::before { content: "\\2717  "; }
footer { margin-top: 2rem; font-size: .85rem; opacity: .75; }
@media print { body { margin: 0; font-size: 11px; } tr { break-inside: avoid; } }
`;

export function reportHtml(report: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(report.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(report.title)}</h1>
<dl>
${report.summary.map(([label, text]) => `<dt>${label}</dt><dd>${escaped(text)}</dd>`).join('\n')}
</dl>
<h2>Why</h2>
<p>${escaped(report.why)}</p>
<h2>Checks</h2>
${
  report.checks.length > 0
    ? table(
        CHECK_HEADS,
        report.checks.map((check) => ({ cells: checkCells(check), failed: check.result === 'FAIL' })),
      )
    : '<p>None has been compared yet.</p>'
}
<h2>Decisions</h2>
${
  report.decisions.length > 0
    ? table(
        DECISION_HEADS,
        report.decisions.map((decision) => ({ cells: decisionCells(decision) })),
      )
    : '<p>None yet.</p>'
}
<footer>Made by canaryctl at ${escaped(report.madeAt)}.</footer>
</body>
</html>
`;
}

interface Row {
  readonly cells: readonly string[];
  readonly failed?: boolean;
}

function table(heads: readonly string[], rows: readonly Row[]): string {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map(
    ({ cells, failed }) =>
      `<tr${failed ? ' class="failed"' : ''}>${cells.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`,
  );
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
