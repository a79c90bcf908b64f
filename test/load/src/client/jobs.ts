import type { Exchange } from './connection.js';
import type { PushStyle, Target } from './push-image.js';

/** Send the same request again and again, over `connections` at once, until the time is over. */
export interface RepeatJob {
  readonly kind: 'repeat';
  readonly origin: string;
  readonly request: Omit<Exchange, 'body'>;
  readonly connections: number;
  readonly durationMs: number;
  /** How many requests each connection sends at least, however long they take. */
  readonly atLeast: number;
}

/** Push `images` small images, `connections` at once, each connection into the next target of the list. */
export interface PushJob {
  readonly kind: 'push';
  readonly origin: string;
  readonly targets: readonly Target[];
  readonly images: number;
  readonly connections: number;
  readonly layerBytes: number;
  readonly style: PushStyle;
}

export type Job = RepeatJob | PushJob;

/** What a job came to. `medianMs` is the median time of one request, or of one push. */
export interface JobResult {
  readonly count: number;
  readonly elapsedMs: number;
  readonly medianMs: number;
}

/** What the client process sends back. */
export type JobOutcome = { readonly result: JobResult } | { readonly failure: string };
