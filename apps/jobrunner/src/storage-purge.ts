import { purgeStorage, type BlobStore, type GcConfig, type Purge } from '@entrepot/content';
import type { Logger, Metrics, Queues } from '@entrepot/runtime';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** What the purge works with; the token under which Nest finds it. */
export class PurgeRoom {
  constructor(
    readonly parts: {
      readonly gc: GcConfig;
      readonly queues: Queues;
      readonly purge: Purge;
      readonly store: BlobStore;
      readonly logger: Logger;
      readonly metrics: Metrics;
    },
  ) {}
}

/** Removes abandoned uploads and doomed objects, at the set interval and once for the whole cluster. */
@Injectable()
export class StoragePurge implements OnApplicationBootstrap {
  constructor(private readonly room: PurgeRoom) {}

  async onApplicationBootstrap(): Promise<void> {
    const { gc, queues, metrics } = this.room.parts;
    const removed = metrics.counter('purge_removed_total', 'What the purge removed.', ['kind']);
    await queues.everyInterval('storage.purge', gc.purgeInterval, async (signal) => {
      const { uploads, objects } = await this.#run(signal);
      removed.inc({ kind: 'upload' }, uploads);
      removed.inc({ kind: 'object' }, objects);
    });
  }

  async #run(signal: AbortSignal): Promise<{ uploads: number; objects: number }> {
    const { gc, purge, store, logger } = this.room.parts;
    const { uploads, objects, failures } = await purgeStorage(purge, store, { expiryMs: gc.uploadExpiry, signal });
    for (const error of failures) logger.warn({ err: error }, 'an object could not be removed; it is tried again');
    if (uploads + objects > 0) logger.info({ uploads, objects }, 'removed what was abandoned');
    return { uploads, objects };
  }
}
