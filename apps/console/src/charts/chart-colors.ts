/** Colours of the page as it is drawn now: a canvas knows no style sheets. */
export interface ChartColors {
  readonly stable: string;
  readonly canary: string;
  readonly limit: string;
  readonly difference: string;
  readonly band: string;
  readonly grid: string;
  readonly text: string;
  readonly good: string;
  readonly bad: string;
  readonly wait: string;
  readonly active: string;
  readonly calm: string;
}

export function chartColors(): ChartColors {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    stable: of('--stable'),
    canary: of('--canary'),
    limit: of('--text'),
    difference: of('--canary'),
    band: of('--band'),
    grid: of('--line'),
    text: of('--muted'),
    good: of('--good'),
    bad: of('--bad'),
    wait: of('--wait'),
    active: of('--active'),
    calm: of('--muted'),
  };
}
