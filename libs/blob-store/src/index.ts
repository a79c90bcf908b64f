export { storageConfig } from './config.js';
export type { StorageConfig } from './config.js';
export type { FilesystemBlobStore, FilesystemBlobStoreOptions } from './filesystem/filesystem-blob-store.js';
export { openFilesystemBlobStore } from './filesystem/open-filesystem-blob-store.js';
export { MemoryBlobStore } from './memory/memory-blob-store.js';
export { JoinedBlobStore } from './places/joined-blob-store.js';
export type { LinkTerms, ObjectPlace } from './places/object-place.js';
export { openBlobStore } from './places/open-blob-store.js';
