import type { CheckResult } from '../domain/records.js';
import type { Tone } from '../domain/status.js';

/** Shapes differ, so that no icon is told by its colour. */
const PATHS = {
  good: 'M4.5 8.5l2.5 2.5 4.5-5.5',
  bad: 'M5 5l6 6M11 5l-6 6',
  wait: 'M6.2 5v6M9.8 5v6',
  active: 'M6.2 4.8l4.6 3.2-4.6 3.2z',
  calm: 'M5 8h6',
  question: 'M6 6.3a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6.9v.4M8 11.6v.1',
  none: 'M5 8h.1M8 8h.1M11 8h.1',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, class: className = '' }: { readonly name: IconName; readonly class?: string }) {
  return (
    <svg class={`icon ${className}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <circle cx="8" cy="8" r="7" class="icon-disc" />
      <path d={PATHS[name]} class={name === 'active' ? 'icon-filled' : 'icon-line'} />
    </svg>
  );
}

export const toneIcon = (tone: Tone): IconName => tone;

export function resultIcon(result: CheckResult['result']): { readonly icon: IconName; readonly tone: Tone } {
  switch (result) {
    case 'pass':
      return { icon: 'good', tone: 'good' };
    case 'fail':
      return { icon: 'bad', tone: 'bad' };
    case 'continue':
      return { icon: 'question', tone: 'calm' };
    case 'no-data':
      return { icon: 'none', tone: 'calm' };
  }
}
