import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storageConfig } from './config.js';
import { openBlobStore } from './places/open-places.js';

describe('storage settings', () => {
  it('have defaults', () => {
    expect(storageConfig.parse({})).toEqual({ driver: 'filesystem', minFree: 100 * 2 ** 20, buffers: 64 * 2 ** 20 });
  });

  it('read sizes as people write them', () => {
    expect(storageConfig.parse({ minFree: '2GiB', buffers: '0B' })).toMatchObject({ minFree: 2 ** 31, buffers: 0 });
    expect(storageConfig.safeParse({ minFree: '5 apples' }).success).toBe(false);
    expect(storageConfig.safeParse({ minFree: '999999999999TiB' }).success).toBe(false);
    expect(storageConfig.safeParse({ driver: 'floppy' }).success).toBe(false);
  });

  it('open the store in the data directory, or where they say', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'storage-config-'));
    await (await openBlobStore(storageConfig.parse({}), directory)).check();
    expect((await stat(join(directory, 'storage', 'objects'))).isDirectory()).toBe(true);
    await openBlobStore(storageConfig.parse({ root: join(directory, 'elsewhere', 'deep') }), directory);
    expect((await stat(join(directory, 'elsewhere', 'deep', 'objects'))).isDirectory()).toBe(true);
    await rm(directory, { recursive: true });
  });
});
