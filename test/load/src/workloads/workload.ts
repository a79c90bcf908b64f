import type { S3Bucket } from '@entrepot/testkit/s3-server';
import type { Client } from '../client/start-client.js';
import type { Contender, ContenderName, Instance } from '../contenders/contender.js';
import type { TokenIssuer } from '../contenders/token-issuer.js';
import type { Better } from '../statistics.js';
import type { Samples } from './sample-files.js';

/** A contender that runs and what it runs in. */
export interface Subject {
  readonly contender: Contender;
  readonly instance: Instance;
}

/** What every measurement may use. */
export interface Lab {
  /** Everything is below it, so all data are on one file system. */
  readonly directory: string;
  readonly client: Client;
  readonly issuer: TokenIssuer;
  readonly samples: Samples;
  readonly size: Size;
  /** Gives each contender a bucket for its blobs, where they are compared over an object store. */
  readonly newBucket?: () => Promise<S3Bucket>;
}

/** How much of everything is done. */
export interface Size {
  readonly repetitions: number;
  readonly durationMs: number;
  readonly images: number;
  readonly tags: number;
}

export const FULL_SIZE: Size = { repetitions: 5, durationMs: 4_000, images: 600, tags: 100_000 };
export const QUICK_SIZE: Size = { repetitions: 2, durationMs: 1_000, images: 150, tags: 10_000 };

/** What the product has promised, read as "entrepot is at least `atLeast` times as good as `over`". */
export type Goal =
  { readonly over: ContenderName | 'every peer'; readonly atLeast: number } | { readonly atMost: number };

/** Rates are better when higher, times and sizes when lower. */
export const BETTER = {
  '1/s': 'higher',
  'MiB/s': 'higher',
  ms: 'lower',
  'ms/GiB': 'lower',
  MiB: 'lower',
} as const satisfies Record<string, Better>;
export type Unit = keyof typeof BETTER;

/** One piece of work that is done to each contender in turn and comes to one number. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly goal?: Goal;
  /** Set where a server of plain files can take part. */
  readonly isForFileServers?: true;
  /** Set where a first, uncounted repetition would not change the next. */
  readonly skipsWarmUp?: true;
  /** For work that takes long or hardly varies: no more repetitions than this. */
  readonly atMostRepetitions?: number;
  /** Brings the subject to the state that the work needs; called once, may find that state there already. */
  prepare?(subject: Subject, lab: Lab): Promise<void>;
  measure(subject: Subject, lab: Lab): Promise<number>;
}
