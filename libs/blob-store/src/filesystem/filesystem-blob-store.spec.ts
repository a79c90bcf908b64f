import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectMissing, StoreUnavailable } from '@entrepot/content';
import type { ObjectKey } from '@entrepot/content';
import { blobStoreSuite } from '@entrepot/content/ports/blob-store.suite';
import { walkedStoreSuite } from '@entrepot/content/ports/walked-store.suite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilesystemBlobStore } from './filesystem-blob-store.js';
import { strayKey } from '../stray-key.js';
import { KEY_PATTERN } from './object-path.js';
import { openFilesystemBlobStore } from './open-filesystem-blob-store.js';

const RECORD = { digest: 'sha256:anything', sizeBytes: 5, createdAt: '2026-01-02T03:04:05.678Z' };

// Four buffers only: with more readers and writers than that, the suite also tries life without them.
for (const bufferBytes of [4 * 2 ** 20, 0]) {
  blobStoreSuite(`filesystem with ${bufferBytes} bytes of buffers`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'blob-store-'));
    return {
      store: await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes }),
      leftovers: async () => [...(await filesBelow(root)), ...(await descriptorsBelow(root))],
      close: async () => rm(root, { recursive: true }),
    };
  });
}

walkedStoreSuite('filesystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'walked-store-'));
  const store = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 2 ** 21 });
  return { store, close: async () => rm(root, { recursive: true }) };
});

describe('filesystem blob store', () => {
  let root: string;
  let store: FilesystemBlobStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'blob-store-'));
    store = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 2 ** 21 });
  });

  afterEach(async () => rm(root, { recursive: true }));

  it('keeps objects where an operator can find them', async () => {
    const key = await put('hello');
    const path = join(root, 'objects', key.slice(0, 2), key.slice(2, 4), key);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(await readFile(path, 'utf8')).toBe('hello');
    expect(JSON.parse(await readFile(`${path}.json`, 'utf8'))).toEqual(RECORD);
    expect((await stat(path)).mode & 0o007).toBe(0);
  });

  it('shares a directory among keys that are made in a row', () => {
    const directories = new Set(Array.from({ length: 512 }, () => store.newKey().slice(0, 4)));
    expect(directories.size).toBe(1);
  });

  it('takes away what lies beside an object that kept the key of its upload', async () => {
    const key = await put('hello');
    const directory = join(root, 'objects', key.slice(0, 2), key.slice(2, 4));
    await writeFile(join(directory, `${key}-0123456789abcdef`), 'left');
    await store.remove(store.residueOf(key));
    expect((await readdir(directory)).toSorted()).toEqual([key, `${key}.json`]);
  });

  describe('that another process shares', () => {
    const start = { offsetBytes: 0 };
    let other: FilesystemBlobStore;

    beforeEach(async () => {
      other = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 2 ** 21 });
    });

    it('gives nothing of a writer that wakes up late to the one that took the object over', async () => {
      const key = store.newKey();
      const sleeper = await other.write(key, start);
      await sleeper.write(Buffer.from('begun '));
      const noted = await sleeper.flush();
      await sleeper.write(Buffer.from('by one that slept'));

      const writer = await store.write(key, { ...noted, wasAbandoned: true });
      await writer.write(Buffer.from('and ended'));
      const { key: object, residue } = await writer.complete(RECORD);
      await sleeper.flush();
      await sleeper.complete({ ...RECORD, digest: 'sha256:late' });
      expect(String(await readAll(object))).toBe('begun and ended');
      expect(await store.record(object)).toEqual(RECORD);

      await store.remove(residue as ObjectKey);
      expect(await filesBelow(root)).toHaveLength(2);
      expect(String(await readAll(object))).toBe('begun and ended');
      await store.remove(object);
      expect(await filesBelow(root)).toEqual([]);
    });

    it.each([0, 6])('is not opened under its name by one that slept before it opened it at %i', async (offsetBytes) => {
      const key = store.newKey();
      const noted = await suspended(key, 'begun '.slice(0, offsetBytes));
      const writer = await store.write(key, { ...noted, wasAbandoned: true });
      await writer.write(Buffer.from('ended'));
      const { key: object } = await writer.complete(RECORD);
      const late = await other.write(key, noted);
      await late.write(Buffer.from('slept'));
      await late.abandon();
      expect(String(await readAll(object))).toBe(`${'begun '.slice(0, offsetBytes)}ended`);
      await store.remove(key);
      expect(await filesBelow(root)).toEqual([]);
    });

    it('goes on where it was taken over, and knows no object of another upload', async () => {
      const key = store.newKey();
      const taken = await store.write(key, { ...(await suspended(key, 'one ')), wasAbandoned: true });
      await taken.write(Buffer.from('two '));
      const noted = await taken.suspend();
      const writer = await other.write(key, noted);
      await writer.write(Buffer.from('three'));
      expect(String(await readAll((await writer.complete(RECORD)).key))).toBe('one two three');
      await expect(other.write(store.newKey(), noted)).rejects.toThrow(ObjectMissing);
      await expect(store.write(key, { ...noted, resume: '../../x' })).rejects.toThrow(ObjectMissing);
    });

    async function suspended(key: ObjectKey, text: string) {
      const writer = await store.write(key, start);
      await writer.write(Buffer.from(text));
      return writer.suspend();
    }

    async function readAll(key: ObjectKey): Promise<Buffer> {
      const chunks: Buffer[] = [];
      const range = { start: 0, end: ((await other.size(key)) ?? 0) - 1 };
      await other.read(key, range, async (chunk) => void chunks.push(Buffer.from(chunk)));
      return Buffer.concat(chunks);
    }
  });

  it.each([
    '',
    '../../../../etc/passwd',
    '0'.repeat(31),
    'A'.repeat(32),
    `${'0'.repeat(32)}.json`,
    `${'0'.repeat(30)}/x`,
  ])('makes no path of %j', async (text) => {
    const key = text as ObjectKey;
    await expect(store.write(key, { offsetBytes: 0 })).rejects.toThrow(TypeError);
    await expect(store.write(key, { offsetBytes: 1 })).rejects.toThrow(TypeError);
    await expect(store.read(key, { start: 0, end: 1 }, async () => undefined)).rejects.toThrow(TypeError);
    await expect(store.size(key)).rejects.toThrow(TypeError);
    await expect(store.record(key)).rejects.toThrow(TypeError);
    await expect(store.remove(key)).rejects.toThrow(TypeError);
  });

  it('lists nothing outside the directories of objects', async () => {
    const key = await put('hello');
    await writeFile(join(root, 'objects', 'lost+found'), 'foreign');
    expect(await listedKeys()).toEqual([key]);
  });

  it('finds everything again after a restart, and continues what was flushed', async () => {
    const key = store.newKey();
    const writer = await store.write(key, { offsetBytes: 0 });
    await writer.write(Buffer.from('hel'));
    await writer.flush();
    await writer.abandon();
    store = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 0 });
    const next = await store.write(key, { offsetBytes: 3 });
    await next.write(Buffer.from('lo'));
    await next.complete(RECORD);
    expect(await text(key)).toBe('hello');
  });

  it('opened at 0 again, is out of reach for a writer of another process', async () => {
    const other = await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 0 });
    const key = store.newKey();
    const stale = await other.write(key, { offsetBytes: 0 });
    const writer = await store.write(key, { offsetBytes: 0 });
    await writer.write(Buffer.from('hello'));
    await writer.complete(RECORD);
    await stale.write(Buffer.from('stale bytes'));
    await stale.suspend();
    expect(await text(key)).toBe('hello');
  });

  it('reads a torn record as none', async () => {
    const key = await put('hello');
    await truncate(join(root, 'objects', key.slice(0, 2), key.slice(2, 4), `${key}.json`), 20);
    expect(await store.record(key)).toBeUndefined();
  });

  it('makes directories anew that were removed under it', async () => {
    const key = await put('hello');
    await store.remove(key);
    await rm(join(root, 'objects', key.slice(0, 2)), { recursive: true });
    await store.remove(key);
    const writer = await store.write(key, { offsetBytes: 0 });
    await writer.write(Buffer.from('again'));
    await writer.complete(RECORD);
    expect(await text(key)).toBe('again');
  });

  it('does not take a missing root for an empty store', async () => {
    const key = await put('hello');
    await rm(join(root, 'objects'), { recursive: true });
    await expect(store.size(key)).rejects.toThrow(/is the volume mounted/);
    await expect(text(key)).rejects.toThrow(/is the volume mounted/);
    await rm(root, { recursive: true });
    await expect(store.write(store.newKey(), { offsetBytes: 0 })).rejects.toThrow(/is the volume mounted/);
    await expect(listedKeys()).rejects.toThrow(StoreUnavailable);
    await expect(store.check()).rejects.toThrow(StoreUnavailable);
    await expect(stat(root)).rejects.toThrow('ENOENT');
    await openFilesystemBlobStore({ root, minFreeBytes: 0, bufferBytes: 0 });
  });

  it('begins and continues nothing when space runs low, and serves what is there', async () => {
    const key = await put('hello');
    const low = { root, minFreeBytes: Number.MAX_SAFE_INTEGER, bufferBytes: 0 };
    await expect(openFilesystemBlobStore(low)).rejects.toThrow(/ENTREPOT_STORAGE_MIN_FREE/);
    store = new FilesystemBlobStore(low);
    await expect(store.write(store.newKey(), { offsetBytes: 0 })).rejects.toThrow(StoreUnavailable);
    await expect(store.write(key, { offsetBytes: 5 })).rejects.toThrow(StoreUnavailable);
    await expect(store.check()).rejects.toThrow(StoreUnavailable);
    expect(await text(key)).toBe('hello');
    expect(await store.freeBytes()).toBeGreaterThan(0);
    await store.remove(key);
  });

  describe('files among the objects that are none', () => {
    const STRAYS = ['another name', 'f'.repeat(32), `${'f'.repeat(32)}.json`, `aabb${'0'.repeat(28)}.json`];

    beforeEach(async () => {
      await mkdir(join(root, 'objects', 'aa', 'bb', 'directory'), { recursive: true });
      for (const name of STRAYS) await writeFile(join(root, 'objects', 'aa', 'bb', name), 'stray');
      await writeFile(join(root, 'objects', 'zzz'), 'elsewhere');
      await mkdir(join(root, 'lost+found'));
    });

    it('are listed behind the objects, in order, with their paths', async () => {
      const key = await put('hello');
      const found = [];
      for await (const each of store.list()) found.push(each);
      expect(found[0]).toMatchObject({ key, hasRecord: true });
      const strays = found.slice(1);
      expect(strays.map(({ stray }) => stray?.path)).toEqual(STRAYS.map((name) => `objects/aa/bb/${name}`).toSorted());
      expect(strays.map(({ key: each }) => each)).toEqual(strays.map(({ key: each }) => each).toSorted());
      expect(strays.filter(({ stray }) => stray?.recordOf)).toEqual([
        expect.objectContaining({ stray: expect.objectContaining({ recordOf: `aabb${'0'.repeat(28)}` }) }),
      ]);
      const behind = [];
      for await (const each of store.list({ after: strays[1]?.key as ObjectKey })) behind.push(each);
      expect(behind).toEqual(strays.slice(2));
    });

    it('have sizes, are shown and removed by their keys, each alone', async () => {
      const strays = await listedKeys();
      expect(strays).toHaveLength(STRAYS.length);
      for (const key of strays) {
        expect(key).toMatch(new RegExp(KEY_PATTERN));
        expect(await store.size(key)).toBe(5);
        const upload = store.uploadOf(key);
        const shown = [];
        for await (const each of store.listUpload(upload)) shown.push(each.key);
        expect(shown).toEqual([key]);
      }
      for (const [index, key] of strays.entries()) {
        await store.remove(key);
        expect(await listedKeys()).toEqual(strays.slice(index + 1));
      }
      expect(await readdir(join(root, 'objects', 'aa', 'bb'))).toEqual(['directory']);
    });

    it('goes with its upload, where it is a record without its object', async () => {
      const key = await put('hello');
      await rm(join(root, 'objects', key.slice(0, 2), key.slice(2, 4), key));
      const record = (await listedKeys()).find((each) => store.uploadOf(each) === key);
      expect(record).toMatch(/^stray-/);
      await store.remove(key);
      expect(await listedKeys()).not.toContain(record);
    });

    it.each(['../../../etc/passwd', 'aa/bb/..', 'aa/bb/../../x', 'zz/zz/x', `aa/bb/aabb${'0'.repeat(28)}`, 'x'])(
      'are never looked for at %j',
      async (path) => {
        const key = strayKey('', path);
        await expect(store.remove(key)).rejects.toThrow(TypeError);
        await expect(store.size(key)).rejects.toThrow(TypeError);
      },
    );
  });

  it('says what is wrong with its root', async () => {
    await writeFile(join(root, 'file'), '');
    const opening = openFilesystemBlobStore({ root: join(root, 'file'), minFreeBytes: 0, bufferBytes: 0 });
    await expect(opening).rejects.toThrow(/a file is where a directory is expected \(ENOTDIR\)/);
  });

  async function put(content: string): Promise<ObjectKey> {
    const key = store.newKey();
    const writer = await store.write(key, { offsetBytes: 0 });
    await writer.write(Buffer.from(content));
    await writer.complete(RECORD);
    return key;
  }

  async function listedKeys(): Promise<ObjectKey[]> {
    const keys: ObjectKey[] = [];
    for await (const { key } of store.list()) keys.push(key);
    return keys;
  }

  async function text(key: ObjectKey): Promise<string> {
    let found = '';
    await store.read(key, { start: 0, end: 4 }, async (chunk) => {
      found += Buffer.from(chunk).toString();
    });
    return found;
  }
});

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function descriptorsBelow(root: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(root));
}
