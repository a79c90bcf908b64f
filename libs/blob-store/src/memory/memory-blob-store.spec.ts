import { blobStoreSuite } from '@entrepot/content/ports/blob-store.suite';
import { walkedStoreSuite } from '@entrepot/content/ports/walked-store.suite';
import { MemoryBlobStore } from './memory-blob-store.js';

blobStoreSuite('memory', async () => ({
  store: new MemoryBlobStore(),
  leftovers: async () => [],
  close: async () => undefined,
}));

walkedStoreSuite('memory', async () => ({ store: new MemoryBlobStore(), close: async () => undefined }));
