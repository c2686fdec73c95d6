/** What a scenario has shown. */
export interface ScenarioResult {
  readonly passed: boolean;
  /** Printed as a table. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Printed after the table: what was not as it should be. */
  readonly problems: readonly string[];
  /** One line that says it all. */
  readonly summary: string;
  /** All figures, for --json. */
  readonly figures: unknown;
}

/** What every scenario is told. */
export interface ScenarioContext {
  readonly say: (line: string) => void;
  /** Where logs are left; null: nowhere. */
  readonly keepIn: string | null;
}
