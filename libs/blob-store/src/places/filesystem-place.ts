import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ObjectKey } from '@entrepot/content';
import type { StorageConfig } from '../config.js';
import { FilesystemBlobStore } from '../filesystem/filesystem-blob-store.js';
import { FilesystemRecoveryLog } from '../filesystem/filesystem-recovery-log.js';
import { KEY_PATTERN, locateObject } from '../filesystem/object-path.js';
import { openFilesystemBlobStore } from '../filesystem/open-filesystem-blob-store.js';
import type { ObjectPlace } from './object-place.js';

/** The file system as the place of new objects: its directory is made, and proven to work. */
export async function openFilesystemPlace(config: StorageConfig, dataDirectory: string): Promise<ObjectPlace> {
  const options = optionsOf(config, dataDirectory);
  return placeOn(await openFilesystemBlobStore(options), options.root);
}

/**
 * The file system beside another store that is current, for what still lies there. Undefined where nothing can: no root
 * was given, and the data directory has no storage. Nothing is made or asked of the disk.
 */
export function findFilesystemPlace(config: StorageConfig, dataDirectory: string): ObjectPlace | undefined {
  const options = optionsOf(config, dataDirectory);
  if (config.root === undefined && !existsSync(join(options.root, 'objects'))) return undefined;
  return placeOn(new FilesystemBlobStore(options), options.root);
}

function placeOn(store: FilesystemBlobStore, where: string): ObjectPlace {
  const recovery = new FilesystemRecoveryLog(where);
  const freeBytes = () => store.freeBytes();
  return { name: 'filesystem', where, keyPattern: KEY_PATTERN, store, recovery, isRemote: false, freeBytes, pathOf };
}

function pathOf(key: ObjectKey): string {
  return locateObject(key).object;
}

function optionsOf(config: StorageConfig, dataDirectory: string) {
  return {
    root: resolve(config.root ?? join(dataDirectory, 'storage')),
    minFreeBytes: config.minFree,
    bufferBytes: config.buffers,
  };
}
