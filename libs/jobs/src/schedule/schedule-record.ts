/** When a kind runs by itself, as it is recorded. */
export interface ScheduleRecord {
  readonly kind: string;
  /** What the jobrunner's settings say. */
  readonly fallback: string;
  /** What an operator set instead. */
  readonly override: string | undefined;
  readonly setBy: string | undefined;
  /** How often a run that failed is tried again. */
  readonly retries: number;
  /** Undefined where it is off. */
  readonly nextAt: Date | undefined;
  readonly lastFiredAt: Date | undefined;
}
