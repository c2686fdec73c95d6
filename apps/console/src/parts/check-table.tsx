import type { CheckRow } from '../domain/check-rows.js';
import { Icon, resultIcon } from './icon.js';
import { IntervalPlot } from './interval-plot.js';

interface CheckTableProps {
  readonly rows: readonly CheckRow[];
  readonly versions: { readonly stable: string; readonly canary: string };
  readonly caption: string;
}

/** Every check: both figures, the difference with its interval, the limit, what the data says. */
export function CheckTable({ rows, versions, caption }: CheckTableProps) {
  return (
    <table class="checks">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col" class="figure">
            <span class="key key-stable" />
            {versions.stable}
          </th>
          <th scope="col" class="figure">
            <span class="key key-canary" />
            {versions.canary}
          </th>
          <th scope="col">Difference, 95 % interval</th>
          <th scope="col" class="figure">
            Limit
          </th>
          <th scope="col" class="figure">
            Counted
          </th>
          <th scope="col">The data says</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.key} row={row} versions={versions} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, versions }: { readonly row: CheckRow; readonly versions: CheckTableProps['versions'] }) {
  const { icon, tone } = resultIcon(row.result);
  return (
    <tr class={`check check-${row.result}`}>
      <th scope="row">{row.title}</th>
      <td class="figure" data-label={versions.stable}>
        {row.stable}
      </td>
      <td class="figure" data-label={versions.canary}>
        {row.canary}
      </td>
      <td class="difference">
        {row.plot && <IntervalPlot plot={row.plot} result={row.result} />}
        <span class="difference-text">
          {row.difference}
          {row.interval && <span class="interval"> ({row.interval})</span>}
        </span>
      </td>
      <td class="figure" data-label="limit">
        {row.limit}
      </td>
      <td class="figure" data-label="counted">
        {row.n}
      </td>
      <td>
        <span class={`result tone-${tone}`}>
          <Icon name={icon} />
          {row.word}
        </span>
        <span class="evidence">
          {row.against !== '–' && <>against it {row.against}</>}
          {row.against !== '–' && row.within !== '–' && ', '}
          {row.within !== '–' && <>for it {row.within}</>}
        </span>
      </td>
    </tr>
  );
}
