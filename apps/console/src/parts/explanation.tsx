import type { Explanation as Told } from '../domain/explain.js';
import { Icon, resultIcon } from './icon.js';

/** The verdict in words, check by check. */
export function Explanation({ told }: { readonly told: Told }) {
  return (
    <div class="explanation">
      {told.sentences.map((one) => (
        <p key={one}>{one}</p>
      ))}
      <dl>
        {told.checks.map((check) => {
          const { icon, tone } = resultIcon(check.result);
          return (
            <div key={check.key} class="explained">
              <dt>
                <span class={`tone-${tone}`}>
                  <Icon name={icon} />
                </span>
                {check.title}
              </dt>
              <dd>{check.sentences.join(' ')}</dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}
