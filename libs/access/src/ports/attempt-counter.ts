export interface AttemptCount {
  readonly count: number;
  /** Until the count starts again at zero; 0 where nothing is counted. */
  readonly resetsInMs: number;
}

/** Counts attempts by key within windows that begin with the first one. Shared by all processes that share the store. */
export interface AttemptCounter {
  peek(key: string): Promise<AttemptCount>;
  /** Counts one more; resolves with the count that includes it. */
  add(key: string): Promise<AttemptCount>;
  clear(key: string): Promise<void>;
}
