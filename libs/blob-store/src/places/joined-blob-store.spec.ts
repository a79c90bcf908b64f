import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreUnavailable, type ObjectKey } from '@entrepot/content';
import { blobStoreSuite } from '@entrepot/content/ports/blob-store.suite';
import { put, readAll } from '@entrepot/content/ports/blob-store-trial.suite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storageConfig } from '../config.js';
import { MemoryBlobStore } from '../memory/memory-blob-store.js';
import { MemoryRecoveryLog } from '../memory/memory-recovery-log.js';
import { findFilesystemPlace, openFilesystemPlace } from './filesystem-place.js';
import { JoinedBlobStore } from './joined-blob-store.js';

const memoryPlace = () => ({
  name: 'memory',
  where: 'here',
  keyPattern: '^[0-9a-f]{8}-[0-9a-f-]{27}',
  store: new MemoryBlobStore(),
  isRemote: true,
  recovery: new MemoryRecoveryLog(),
});

blobStoreSuite('joined', async () => {
  const root = await mkdtemp(join(tmpdir(), 'joined-'));
  const files = await openFilesystemPlace(storageConfig.parse({ root }), root);
  const current = memoryPlace();
  return {
    store: new JoinedBlobStore(current, [files, current]),
    leftovers: async () => [],
    close: async () => rm(root, { recursive: true }),
  };
});

describe('stores that are joined', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'joined-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('keep what they hold when another becomes the current one', async () => {
    const files = await openFilesystemPlace(storageConfig.parse({ root }), root);
    const memory = memoryPlace();
    const before = new JoinedBlobStore(files, [files, memory]);
    const after = new JoinedBlobStore(memory, [files, memory]);
    const old = await put(before, [Buffer.from('old')]);
    const fresh = await put(after, [Buffer.from('new')]);
    expect(before.placeOf(old).name).toBe('filesystem');
    expect(before.placeOf(fresh).name).toBe('memory');
    expect(String(await readAll(after, old))).toBe('old');
    expect(String(await readAll(before, fresh))).toBe('new');
    const listed: ObjectKey[] = [];
    for await (const { key } of after.list()) listed.push(key);
    expect(listed.toSorted()).toEqual([old, fresh].toSorted());
    await after.remove(old);
    expect(await files.store.size(old)).toBeUndefined();
  });

  it('take no key for a missing object whose store is not open', async () => {
    const memory = memoryPlace();
    const joined = new JoinedBlobStore(memory, [memory]);
    const foreign = '0123456789abcdef0123456789abcdef' as ObjectKey;
    const reading = joined.read(foreign, { start: 0, end: 1 }, async () => undefined);
    await expect(reading).rejects.toThrow(/ENTREPOT_STORAGE_ROOT/);
    await expect(joined.size(foreign)).rejects.toThrow(StoreUnavailable);
    await expect(joined.remove(foreign)).rejects.toThrow(StoreUnavailable);
  });

  it('look for files beside another store only where some can be, and make no directory', async () => {
    expect(findFilesystemPlace(storageConfig.parse({}), root)).toBeUndefined();
    expect(findFilesystemPlace(storageConfig.parse({ root: join(root, 'mounted') }), root)?.name).toBe('filesystem');
    expect(await readdir(root)).toEqual([]);
    await mkdir(join(root, 'storage', 'objects'), { recursive: true });
    expect(findFilesystemPlace(storageConfig.parse({}), root)?.name).toBe('filesystem');
  });
});
