import {
  purgeUploads,
  removeDoomedObjects,
  type BlobStore,
  type GcConfig,
  type Purge,
  type UploadsConfig,
} from '@entrepot/content';
import type { Logger, Metrics, Queues } from '@entrepot/runtime';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** What the purge works with; the token under which Nest finds it. */
export class PurgeRoom {
  constructor(
    readonly parts: {
      readonly uploads: UploadsConfig;
      readonly gc: GcConfig;
      readonly queues: Queues;
      readonly purge: Purge;
      readonly store: BlobStore;
      readonly logger: Logger;
      readonly metrics: Metrics;
    },
  ) {}
}

type Count = (kind: 'upload' | 'object', count: number) => void;

/** Removes abandoned uploads and doomed objects, at the set intervals and once for the whole cluster. */
@Injectable()
export class StoragePurge implements OnApplicationBootstrap {
  constructor(private readonly room: PurgeRoom) {}

  async onApplicationBootstrap(): Promise<void> {
    const { uploads, gc, queues, metrics } = this.room.parts;
    const removed = metrics.counter('purge_removed_total', 'What the purge removed.', ['kind']);
    const count: Count = (kind, many) => removed.inc({ kind }, many);
    queues.everyInterval('uploads.purge', uploads.purgeInterval, (signal) => this.#purgeUploads(signal, count));
    queues.everyInterval('storage.purge', gc.removalInterval, (signal) => this.#removeObjects(signal, count));
  }

  /** The bytes of what was abandoned go in the same run. */
  async #purgeUploads(signal: AbortSignal, count: Count): Promise<void> {
    const { uploads: config, purge, logger } = this.room.parts;
    const uploads = await purgeUploads(purge, config.ttl, signal);
    count('upload', uploads);
    if (uploads > 0) logger.info({ uploads }, 'ended abandoned uploads');
    await this.#removeObjects(signal, count);
  }

  async #removeObjects(signal: AbortSignal, count: Count): Promise<void> {
    const { purge, store, logger } = this.room.parts;
    const { objects, failures } = await removeDoomedObjects(purge, store, signal);
    count('object', objects);
    for (const error of failures) logger.warn({ err: error }, 'an object could not be removed; it is tried again');
    if (objects > 0) logger.info({ objects }, 'removed doomed objects');
  }
}
