import { checkName } from '@app/words';
import type { Check } from '../domain/findings.js';
import type { Estimate, RolloutSpec } from '../domain/records.js';
import { stepEstimateText, stepTitle, totalText } from '../domain/steps.js';

interface ForecastPanelProps {
  readonly check: Check;
  /** As it is typed; empty: the present traffic. */
  readonly rate: string;
  readonly onRate: (rate: string) => void;
}

/** How long the rollout is going to take, step by step, at a traffic. */
export function ForecastPanel({ check, rate, onRate }: ForecastPanelProps) {
  return (
    <section class="card forecast" aria-labelledby="forecast">
      <h2 id="forecast">Forecast</h2>
      <label class="field">
        <span>Predictions per second of the model</span>
        <span class="field-row">
          <input
            type="text"
            class="short"
            inputMode="decimal"
            placeholder="present traffic"
            value={rate}
            onInput={(event) => onRate(event.currentTarget.value)}
          />
        </span>
      </label>
      <div aria-live="polite">{forecast(check)}</div>
    </section>
  );
}

function forecast(check: Check) {
  switch (check.kind) {
    case 'empty':
      return <p class="quiet">Write a file, and this says how long it will take.</p>;
    case 'checking':
      return <p class="quiet">Checking …</p>;
    case 'unknown':
      return <p class="quiet">The file cannot be checked now: {check.why}.</p>;
    case 'refused':
      return <p class="quiet">Once the file is right, this says how long it will take.</p>;
    case 'right':
      if (!check.spec.canary) return <p>The file has no canary: it registers {check.spec.model}, and its stable version gets everything.</p>; // prettier-ignore
      return check.estimate ? (
        <Steps spec={check.spec} estimate={check.estimate} />
      ) : (
        <p class="quiet">How long it takes depends on the traffic, which is not known yet: say it above.</p>
      );
  }
}

function Steps({ spec, estimate }: { readonly spec: RolloutSpec; readonly estimate: Estimate }) {
  return (
    <>
      <p class="forecast-total">
        {totalText(estimate)} At {Number(estimate.predictionsPerSecond.toPrecision(3))} predictions/s, if the canary is
        as good as stable.
      </p>
      <ol class="forecast-steps">
        {estimate.steps.map((step) => {
          const planned = spec.steps[step.step];
          return (
            <li key={step.step}>
              <span class="step-title">{planned && stepTitle(planned, spec.canary?.version ?? '')}</span>
              <span class="step-bounds">{stepEstimateText(step, checkName)}</span>
            </li>
          );
        })}
      </ol>
    </>
  );
}
