import { readFileSync } from 'node:fs';
import { SealingConfig, ServiceConfig } from '@app/shared';
import { ControllerConfig } from '../../apps/controller/src/config.js';
import { EvaluatorConfig } from '../../apps/evaluator/src/config.js';
import { RouterConfig } from '../../apps/router/src/config.js';
import { StandaloneConfig } from '../../apps/standalone/src/config.js';

interface Section {
  readonly title: string;
  readonly file: string;
  /** Its defaults are this class's. */
  readonly defaults: new () => object;
}

const SECTIONS: readonly Section[] = [
  { title: 'Every service', file: 'libs/shared/src/config.ts', defaults: ServiceConfig },
  { title: 'Router and evaluator', file: 'libs/shared/src/sealing-config.ts', defaults: SealingConfig },
  { title: 'Router', file: 'apps/router/src/config.ts', defaults: RouterConfig },
  { title: 'Evaluator', file: 'apps/evaluator/src/config.ts', defaults: EvaluatorConfig },
  { title: 'Controller', file: 'apps/controller/src/config.ts', defaults: ControllerConfig },
  { title: 'Standalone', file: 'apps/standalone/src/config.ts', defaults: StandaloneConfig },
];

const ROOT = new URL('../../', import.meta.url);
/** A doc comment, decorators, and the property they belong to. */
const VARIABLE =
  /\/\*\*((?:(?!\*\/)[\s\S])+)\*\/\n((?: {2}[@})][\s\S]*?\n| {4}.*\n)*?) {2}([A-Z][A-Z0-9_]+)([!?]?)(?::| =)/g;

/** Every environment variable that a service reads, with its default and its doc comment, as a Markdown table. */
export function configurationTable(): string {
  const rows = SECTIONS.flatMap(({ title, file, defaults }, index) => [
    `| **${title}** | | |`,
    ...variablesOf(file, new defaults(), index > 0),
  ]);
  return ['| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function variablesOf(file: string, defaults: object, isOne: boolean): string[] {
  const text = readFileSync(new URL(file, ROOT), 'utf8');
  const values = defaults as Readonly<Record<string, string | number | boolean | undefined>>;
  return [...text.matchAll(VARIABLE)]
    .filter(([, , , name]) => !isOne || !(name! in new ServiceConfig()))
    .map(([, comment, , name, mark]) => {
      const meaning = comment!
        .replaceAll(/\n +\* ?/g, ' ')
        .trim()
        .replaceAll('|', '\\|');
      const value = values[name!];
      const fallback = mark === '!' ? 'required' : value === undefined || value === '' ? '' : `\`${String(value)}\``;
      return `| \`${name}\` | ${fallback} | ${meaning} |`;
    });
}
