import type { StorageConfig } from '../config.js';
import { openFilesystemPlace } from './filesystem-place.js';
import { JoinedBlobStore } from './joined-blob-store.js';

/**
 * Every store that has settings, joined: new objects go to the one that the driver names, proven to work. Rejects with
 * `StoreUnavailable`, saying what to do.
 */
export async function openBlobStore(config: StorageConfig, dataDirectory: string): Promise<JoinedBlobStore> {
  const current = await openFilesystemPlace(config, dataDirectory);
  return new JoinedBlobStore(current, [current]);
}
