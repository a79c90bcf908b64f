import type { BlobStore, ByteRange, DurableState, ObjectKey, ObjectRecord, ObjectWriter } from '@entrepot/content';

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

/** Where every object begins. */
export const START: DurableState = { offsetBytes: 0 };

/** Writes and completes an object of its own; resolves with the key that it is read by. */
export async function put(store: BlobStore, chunks: Iterable<Uint8Array>): Promise<ObjectKey> {
  const writer = await store.write(store.newKey(), START);
  for (const chunk of chunks) await writer.write(chunk);
  return completed(writer);
}

export async function completed(writer: ObjectWriter): Promise<ObjectKey> {
  return (await writer.complete(recordOf(writer.offsetBytes))).key;
}

/** Leaves an unfinished object. */
export async function suspended(store: BlobStore, key: ObjectKey, bytes: string | Buffer): Promise<DurableState> {
  const writer = await store.write(key, START);
  await writer.write(Buffer.from(bytes));
  return writer.suspend();
}

/** Goes on from a state, and completes the object. */
export async function finished(
  store: BlobStore,
  key: ObjectKey,
  from: DurableState,
  bytes: string | Buffer,
): Promise<ObjectKey> {
  const writer = await store.write(key, from);
  await writer.write(Buffer.from(bytes));
  return completed(writer);
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
