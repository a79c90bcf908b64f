import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from './files.js';
import { FilesystemBlobStore } from './filesystem-blob-store.js';
import type { FilesystemBlobStoreOptions } from './filesystem-blob-store.js';
import { storeFault } from './store-fault.js';

/**
 * Opens the store in `root`, which is made if it is not there yet. Rejects with `StoreUnavailable` where it cannot be
 * written and read, or is nearly full. Removes nothing.
 */
export async function openFilesystemBlobStore(options: FilesystemBlobStoreOptions): Promise<FilesystemBlobStore> {
  const root = resolve(options.root);
  try {
    await makeDurably(join(root, 'objects'));
  } catch (error) {
    throw storeFault(error, root);
  }
  const store = new FilesystemBlobStore({ ...options, root });
  await store.check();
  return store;
}

async function makeDurably(directory: string): Promise<void> {
  const topmost = await mkdir(directory, { recursive: true, mode: 0o770 });
  if (topmost === undefined) return;
  for (let made = directory; made.startsWith(topmost); made = dirname(made)) await syncDirectory(dirname(made));
}
