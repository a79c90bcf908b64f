import type { BlobStore, ByteRange, ObjectKey, ObjectRecord } from '@entrepot/content';

/** One store to try, empty and used by nobody else. */
export interface BlobStoreTrial {
  readonly store: BlobStore;
  /** Whatever is left where the store keeps things, in words: files, open descriptors. Asked when all was removed. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** More than a store's buffers hold, and no multiple of anything. */
export const LARGE_BYTES = 8 * 1024 * 1024 + 12_345;
export const ODD_CHUNK_BYTES = 65_521;

/** Writes and completes an object of its own. */
export async function put(store: BlobStore, chunks: Iterable<Uint8Array>): Promise<ObjectKey> {
  const key = store.newKey();
  const writer = await store.write(key, 0);
  for (const chunk of chunks) await writer.write(chunk);
  await writer.complete(recordOf(writer.offsetBytes));
  return key;
}

/** Leaves an unfinished object. */
export async function suspended(store: BlobStore, key: ObjectKey, text: string): Promise<void> {
  const writer = await store.write(key, 0);
  await writer.write(Buffer.from(text));
  await writer.suspend();
}

/** A record; the store makes nothing of what it says. */
export function recordOf(sizeBytes: number, digest = 'sha256:anything'): ObjectRecord {
  return { digest, sizeBytes, createdAt: '2026-01-02T03:04:05.678Z' };
}

/** Consecutive parts of the bytes; the last one may be shorter. */
export function* cut(bytes: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}

export async function readAll(store: BlobStore, key: ObjectKey): Promise<Buffer> {
  return readRange(store, key, { start: 0, end: ((await store.size(key)) ?? 1) - 1 });
}

export async function readRange(store: BlobStore, key: ObjectKey, range: ByteRange): Promise<Buffer> {
  const found: Buffer[] = [];
  await store.read(key, range, async (chunk) => {
    found.push(Buffer.from(chunk));
  });
  return Buffer.concat(found);
}

export async function listed(store: BlobStore) {
  const found = [];
  for await (const each of store.list()) found.push(each);
  return found;
}

/** Lets other work of this process go on for some turns of its loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
