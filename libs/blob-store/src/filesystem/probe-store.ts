import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreUnavailable } from '@entrepot/content';
import { closeFile, openFile, readSome, statFile, syncData, writeFully } from './files.js';

/** Writes, syncs and reads back a few bytes. Rejects with the system's error, or with `StoreUnavailable`. */
export async function probeStore(root: string): Promise<void> {
  await withProbe(root, async (file) => {
    const written = randomBytes(512);
    const found = Buffer.alloc(written.length);
    await writeFully(file, written, 0);
    await syncData(file);
    await readSome(file, found, 0);
    if (!found.equals(written))
      throw new StoreUnavailable(`storage in ${root} gives back other bytes than it was given`);
  });
}

/** What time it is where files are stamped. Rejects with the system's error. */
export function readClock(root: string): Promise<Date> {
  return withProbe(root, async (file) => {
    await writeFully(file, Buffer.from('now'), 0);
    await syncData(file);
    return (await statFile(file)).mtime;
  });
}

async function withProbe<T>(root: string, work: (file: number) => Promise<T>): Promise<T> {
  const path = join(root, `probe-${randomBytes(8).toString('hex')}`);
  const file = await openFile(path, 'wx+', 0o660);
  try {
    // Unlinked before it is used, so that a crash leaves no probe behind.
    await unlink(path);
    return await work(file);
  } finally {
    await closeFile(file);
  }
}
