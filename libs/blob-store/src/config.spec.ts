import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storageConfig } from './config.js';
import { openBlobStore } from './places/open-places.js';

describe('storage settings', () => {
  it('have defaults', () => {
    expect(storageConfig.parse({})).toEqual({
      driver: 'filesystem',
      minFree: 100 * 2 ** 20,
      buffers: 64 * 2 ** 20,
      region: 'us-east-1',
      pathStyle: true,
      encryption: 'none',
      connectTimeout: 5_000,
      idleTimeout: 20_000,
    });
  });

  it('read sizes as people write them', () => {
    expect(storageConfig.parse({ minFree: '2GiB', buffers: '0B' })).toMatchObject({ minFree: 2 ** 31, buffers: 0 });
    expect(storageConfig.safeParse({ minFree: '5 apples' }).success).toBe(false);
    expect(storageConfig.safeParse({ minFree: '999999999999TiB' }).success).toBe(false);
    expect(storageConfig.safeParse({ driver: 'floppy' }).success).toBe(false);
  });

  it('name what the object store lacks', () => {
    expect(missing({ driver: 's3' })).toEqual(['bucket', 'accessKey', 'secretKey']);
    expect(missing({ bucket: 'blobs', accessKey: 'key' })).toEqual(['secretKey']);
    expect(missing({ driver: 's3', bucket: 'blobs', accessKey: 'key', secretKey: 'secret' })).toEqual([]);
  });

  it.each([
    { endpoint: 'ftp://store' },
    { endpoint: 'https://store/path' },
    { endpoint: 'https://key:secret@store' },
    { bucket: 'Not A Bucket', accessKey: 'a', secretKey: 'b' },
    { prefix: '/absolute' },
    { prefix: 'up/../down' },
    { pathStyle: 'maybe' },
    { idleTimeout: '0s' },
  ])('refuse %o', (values) => {
    expect(storageConfig.safeParse(values).success).toBe(false);
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

function missing(values: Record<string, string>): PropertyKey[] {
  return storageConfig.safeParse(values).error?.issues.map((issue) => issue.path[0] ?? '') ?? [];
}
