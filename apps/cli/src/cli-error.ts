import type { Problem } from '@app/shared';
import { EXIT } from './exit-codes.js';

/** What went wrong and what to do about it; ends the command. */
export class CliError extends Error {
  constructor(
    /** kebab-case, stable; in the output of -o json. */
    readonly code: string,
    message: string,
    readonly details: { readonly problems?: readonly Problem[]; readonly file?: string; readonly exit?: number } = {},
  ) {
    super(message);
    this.name = 'CliError';
  }

  get exit(): number {
    return this.details.exit ?? EXIT.error;
  }
}
