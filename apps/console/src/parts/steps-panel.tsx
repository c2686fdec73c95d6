import { type StepPlace, type StepView } from '../domain/steps.js';
import { Icon, type IconName } from './icon.js';

const PLACES: Readonly<Record<StepPlace, { readonly icon: IconName; readonly tone: string; readonly word: string }>> = {
  done: { icon: 'good', tone: 'good', word: 'done' },
  present: { icon: 'active', tone: 'active', word: 'now' },
  'ended-here': { icon: 'bad', tone: 'bad', word: 'ended here' },
  'to-come': { icon: 'none', tone: 'calm', word: 'to come' },
  skipped: { icon: 'calm', tone: 'calm', word: 'not reached' },
};

export function StepsPanel({
  steps,
  notes = [],
}: {
  readonly steps: readonly StepView[];
  readonly notes?: readonly string[];
}) {
  return (
    <ol class="steps">
      {steps.map(({ key, title, bounds, place }, index) => {
        const { icon, tone, word } = PLACES[place];
        return (
          <li key={key} class={`step step-${place}`} aria-current={place === 'present' ? 'step' : undefined}>
            <span class={`step-mark tone-${tone}`}>
              <Icon name={icon} />
            </span>
            <span class="step-text">
              <span class="step-title">{title}</span>
              <span class="step-bounds">{[word, notes[index] || bounds].filter((part) => part).join(' · ')}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
