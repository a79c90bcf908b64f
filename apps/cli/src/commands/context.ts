import type { SettingsSource } from '../standalone/settings.js';

/** What a command gets from the process that runs it. */
export interface CommandContext {
  readonly source: SettingsSource;
  /** Results: what a script may read. */
  readonly write: (text: string) => void;
  /** Progress and warnings: what only people read. */
  readonly tell: (text: string) => void;
  /** Reads standard input to its end. */
  readonly readInput: () => Promise<string>;
}
