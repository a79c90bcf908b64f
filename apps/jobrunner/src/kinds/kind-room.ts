import type { ObjectPlace } from '@entrepot/blob-store';
import type { BlobStore, Purge, Reached } from '@entrepot/content';
import type { DatabasePool, ServicePools } from '@entrepot/metadata';
import type { Logger, Metrics } from '@entrepot/runtime';
import type { JobrunnerConfig } from '../config.js';

/** What kinds of work are made of. */
export interface KindRoom {
  readonly config: JobrunnerConfig;
  /** Connections as the role of the jobrunner. */
  readonly pool: DatabasePool;
  /** How a session is opened that has to last: for advisory locks. */
  readonly session: ServicePools['session'];
  readonly store: BlobStore;
  /** Each store that the settings open, by itself. */
  readonly places: readonly ObjectPlace[];
  readonly purge: Purge;
  /** Told at each fail point, where the process was started with one; watch further ports by it. */
  readonly reached: Reached | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
