import { Component } from 'preact';
import { checkTitle, isAgreement, isCeiling } from '@app/words';
import { Link } from '../app/navigation.js';
import { resultWord } from '../domain/check-rows.js';
import { agoText, differenceText, limitText, sinceText, valueText } from '../domain/figures.js';
import { rowSince, rowStatus } from '../domain/fleet.js';
import { type CheckResult, type FleetRow, isOpen } from '../domain/records.js';
import { modelPath } from '../domain/route.js';
import { sentence } from '../domain/sentence.js';
import { actionWord } from '../domain/timeline.js';
import { trafficShare } from '../domain/traffic-share.js';
import { Icon, resultIcon } from './icon.js';
import { StatusBadge } from './status-badge.js';
import { WeightBar } from './weight-bar.js';

export function FleetList({ rows, nowMs }: { readonly rows: readonly FleetRow[]; readonly nowMs: number }) {
  return (
    <div role="table" aria-label="Models" class="fleet-list" aria-rowcount={rows.length}>
      <div role="rowgroup" class="fleet-head">
        <div role="row" class="fleet-row">
          <span role="columnheader">Model</span>
          <span role="columnheader">Status</span>
          <span role="columnheader">Traffic</span>
          <span role="columnheader">Worst check</span>
          <span role="columnheader">Last decision</span>
        </div>
      </div>
      <div role="rowgroup">
        {rows.map((row) => (
          <Row key={row.model} row={row} nowMs={nowMs} />
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: FleetRow;
  readonly nowMs: number;
}

/** Rows are many: one is drawn again only when it has changed, or its ages have. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: Readonly<RowProps>): boolean {
    return next.row !== this.props.row || next.nowMs !== this.props.nowMs;
  }

  render({ row, nowMs }: RowProps) {
    const status = rowStatus(row);
    const since = rowSince(row);
    const open = row.rollout !== null && isOpen(row.rollout.status);
    const age = since === null ? '' : open ? `for ${sinceText(nowMs - since)}` : agoText(nowMs - since);
    return (
      <div role="row" class="fleet-row">
        <div role="cell" class="cell-model">
          <Link to={modelPath(row.model)} class="model-name">
            {row.model}
          </Link>
          <span class="versions">{versionsText(row)}</span>
        </div>
        <div role="cell" class="cell-status">
          <StatusBadge status={status} />
          <span class="note">{[status.detail, age].filter((part) => part !== '').join(', ')}</span>
        </div>
        <div role="cell" class="cell-traffic">
          <WeightBar share={trafficShare(row, open ? (row.verdict?.counted ?? null) : null)} compact />
        </div>
        <div role="cell" class="cell-check">
          {row.verdict?.worst ? <Worst check={row.verdict.worst} /> : <span class="note">No verdict yet</span>}
        </div>
        <div role="cell" class="cell-last">
          {row.last && <Last last={row.last} model={row.model} nowMs={nowMs} />}
        </div>
      </div>
    );
  }
}

interface LastProps {
  readonly last: NonNullable<FleetRow['last']>;
  readonly model: string;
  readonly nowMs: number;
}

function Last({ last, model, nowMs }: LastProps) {
  return (
    <>
      <p class="reason" title={last.reason.text}>
        {sentence(last.reason.text, [model])}
      </p>
      <span class="note">
        {actionWord(last.action)}, {agoText(nowMs - last.at)}
        {last.actor !== 'system' && ` by ${last.actor}`}
      </span>
    </>
  );
}

const versionsText = ({ stable, rollout }: FleetRow): string =>
  rollout && isOpen(rollout.status) ? `${rollout.stable} → ${rollout.canary}` : stable;

function Worst({ check }: { readonly check: CheckResult }) {
  const { icon, tone } = resultIcon(check.result);
  const itself = isCeiling(check) || isAgreement(check);
  const seen = itself ? valueText(check.canary.value, check.unit) : differenceText(check.difference, check.unit);
  return (
    <>
      <span class={`result tone-${tone}`}>
        <Icon name={icon} />
        {checkTitle(check)}
      </span>
      <span class="note">
        <span class="unseen">{resultWord(check)}: </span>
        {seen}, limit {limitText(check)}
      </span>
    </>
  );
}
