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

/** Push an image from each of `clients` at once: layers that all share, and one of its own. */
export interface CrowdPushJob {
  readonly kind: 'crowd-push';
  readonly origin: string;
  readonly target: Target;
  readonly clients: number;
  readonly sharedLayers: number;
  readonly layerBytes: number;
}

/** Pull one image by each of `clients` at once, as an engine does: the manifest, then its layers three at a time. */
export interface CrowdPullJob {
  readonly kind: 'crowd-pull';
  readonly origin: string;
  readonly target: Target;
  readonly tag: string;
  readonly clients: number;
}

/** Upload `uploads` blobs of `sizeBytes` at once, each as one stream. */
export interface UploadJob {
  readonly kind: 'upload';
  readonly origin: string;
  readonly target: Target;
  readonly uploads: number;
  readonly sizeBytes: number;
}

/** Begin a pull (a manifest and its layer) or a push of a small image so many times in a second, however long each takes. */
export interface SteadyJob {
  readonly kind: 'steady';
  readonly work: 'pull' | 'push';
  readonly origin: string;
  readonly target: Target;
  readonly perSecond: number;
  readonly durationMs: number;
}

export type Job = RepeatJob | PushJob | CrowdPushJob | CrowdPullJob | UploadJob | SteadyJob;

/** What a job came to. The times are those of one request, one push, one pull or one upload. */
export interface JobResult {
  readonly count: number;
  readonly elapsedMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** What the client process sends back. */
export type JobOutcome = { readonly result: JobResult } | { readonly failure: string };
