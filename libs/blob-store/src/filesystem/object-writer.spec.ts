import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreUnavailable, type ObjectKey } from '@entrepot/content';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.js';
import { openFile } from './files.js';
import { FileObjectWriter } from './object-writer.js';

const RECORD = { digest: 'sha256:anything', sizeBytes: 1, createdAt: '2026-01-02T03:04:05.678Z' };

describe('file object writer', () => {
  let root: string;
  let closed: number;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'object-writer-'));
    closed = 0;
  });

  afterEach(async () => rm(root, { recursive: true }));

  it('is closed by the first fault, and says what to do about it', async () => {
    const writer = await openOn('/dev/full');
    await writer.write(Buffer.from('x'));
    await expect(writer.complete(RECORD)).rejects.toThrow(/the disk is full; free space/);
    expect(closed).toBe(1);
    await expect(writer.suspend()).rejects.toThrow(StoreUnavailable);
    await expect(writer.write(Buffer.from('y'))).rejects.toThrow(StoreUnavailable);
    await writer.abandon();
    expect(closed).toBe(1);
  });

  it('reports a fault of bytes that were on their way by the next call', async () => {
    const writer = await openOn('/dev/full');
    const writing = (async () => {
      for (let chunk = 0; chunk < 4; chunk += 1) await writer.write(Buffer.alloc(2 ** 20));
    })();
    await expect(writing).rejects.toThrow(StoreUnavailable);
    expect(closed).toBe(1);
  });

  it('vouches for nothing when the disk does not confirm', async () => {
    // The device takes every byte and cannot be synced: fdatasync answers EINVAL.
    const writer = await openOn('/dev/null');
    await writer.write(Buffer.from('x'));
    await expect(writer.flush()).rejects.toThrow(StoreUnavailable);
    await expect(writer.flush()).rejects.toThrow(StoreUnavailable);
    expect(closed).toBe(1);
  });

  it('vouches for nothing when the name is not durable', async () => {
    const writer = await openOn(join(root, 'object'), async () => {
      throw new StoreUnavailable('no');
    });
    await writer.write(Buffer.from('x'));
    await expect(writer.complete(RECORD)).rejects.toThrow('no');
    await expect(readFile(join(root, 'object.json'))).rejects.toThrow('ENOENT');
    expect(closed).toBe(1);
  });

  it('syncs the name once, and leaves the record when all is durable', async () => {
    let syncs = 0;
    const writer = await openOn(join(root, 'object'), async () => {
      syncs += 1;
    });
    await writer.write(Buffer.from('x'));
    await writer.flush();
    await writer.flush();
    expect(syncs).toBe(1);
    await expect(readFile(join(root, 'object.json'))).rejects.toThrow('ENOENT');
    await writer.complete(RECORD);
    expect(syncs).toBe(1);
    expect(await readFile(join(root, 'object.json'), 'utf8')).toBe(`${JSON.stringify(RECORD)}\n`);
  });

  it('drops what it holds when abandoned, and waits for what is on its way', async () => {
    const writer = await openOn(join(root, 'object'));
    await writer.write(Buffer.alloc(2 ** 20, 'a'));
    await writer.write(Buffer.from('never written'));
    const flushing = writer.flush();
    await writer.abandon();
    await flushing;
    await writer.abandon();
    expect(await readFile(join(root, 'object'))).toHaveLength(2 ** 20 + 13);
    const other = await openOn(join(root, 'other'));
    await other.write(Buffer.from('never written'));
    await other.abandon();
    expect(await readFile(join(root, 'other'))).toHaveLength(0);
  });

  async function openOn(path: string, syncName = async (): Promise<void> => undefined): Promise<FileObjectWriter> {
    const isDevice = path.startsWith('/dev/');
    return new FileObjectWriter(await openFile(path, isDevice ? 'w' : 'wx'), 0, {
      root,
      upload: 'object' as ObjectKey,
      name: 'object' as ObjectKey,
      readBack: async () => undefined,
      recordPath: join(root, 'object.json'),
      pool: new BufferPool(4 * 2 ** 20),
      syncName,
      onClose: () => {
        closed += 1;
      },
    });
  }
});
