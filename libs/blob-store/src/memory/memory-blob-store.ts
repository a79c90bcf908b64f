import { randomUUID } from 'node:crypto';
import { ObjectMissing, StoreUnavailable } from '@entrepot/content';
import type { BlobStore, ByteRange, ObjectKey, ObjectRecord, ObjectWriter } from '@entrepot/content';

const CHUNK_BYTES = 64 * 1024;

interface StoredObject {
  bytes: Buffer;
  record?: ObjectRecord;
  modifiedAt: Date;
  writer?: MemoryWriter;
}

/** A store that forgets everything with its process: for specs. As strict as the promises of the port allow. */
export class MemoryBlobStore implements BlobStore {
  readonly #objects = new Map<ObjectKey, StoredObject>();

  newKey(): ObjectKey {
    return randomUUID() as string as ObjectKey;
  }

  async write(key: ObjectKey, offsetBytes: number): Promise<ObjectWriter> {
    const former = this.#objects.get(key);
    await former?.writer?.abandon();
    const object: StoredObject =
      offsetBytes === 0 ? { bytes: Buffer.alloc(0), modifiedAt: new Date() } : this.#find(key);
    if (object.bytes.length < offsetBytes) throw new ObjectMissing(key);
    if (object.bytes.length > offsetBytes) delete object.record;
    object.bytes = object.bytes.subarray(0, offsetBytes);
    object.writer = new MemoryWriter(object);
    this.#objects.set(key, object);
    return object.writer;
  }

  async read(key: ObjectKey, range: ByteRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const { bytes } = this.#find(key);
    for (let start = range.start; start <= range.end; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, range.end + 1);
      if (end > bytes.length) throw new StoreUnavailable('an object ends before the range that was asked for');
      const chunk = Buffer.from(bytes.subarray(start, end));
      await sink(chunk);
      // The promise is over: a sink that kept the chunk reads rubbish here as it would elsewhere.
      chunk.fill(0xdb);
    }
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    return this.#objects.get(key)?.bytes.length;
  }

  async record(key: ObjectKey): Promise<ObjectRecord | undefined> {
    return this.#objects.get(key)?.record;
  }

  async remove(key: ObjectKey): Promise<void> {
    await this.#objects.get(key)?.writer?.abandon();
    this.#objects.delete(key);
  }

  async *list(): AsyncGenerator<{ key: ObjectKey; sizeBytes: number; modifiedAt: Date }> {
    for (const [key, { bytes, modifiedAt }] of this.#objects) yield { key, sizeBytes: bytes.length, modifiedAt };
  }

  async check(): Promise<void> {}

  #find(key: ObjectKey): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new ObjectMissing(key);
    return object;
  }
}

/** Keeps chunks apart until a flush, as other stores may. */
class MemoryWriter implements ObjectWriter {
  readonly #object: StoredObject;
  #chunks: Buffer[] = [];
  #offsetBytes: number;
  #isClosed = false;

  constructor(object: StoredObject) {
    this.#object = object;
    this.#offsetBytes = object.bytes.length;
  }

  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#refuseClosed();
    this.#chunks.push(Buffer.from(chunk));
    this.#offsetBytes += chunk.length;
  }

  async flush(): Promise<number> {
    this.#refuseClosed();
    this.#object.bytes = Buffer.concat([this.#object.bytes, ...this.#chunks]);
    this.#object.modifiedAt = new Date();
    this.#chunks = [];
    return this.#offsetBytes;
  }

  async complete(record: ObjectRecord): Promise<void> {
    await this.flush();
    this.#object.record = { ...record };
    await this.abandon();
  }

  async suspend(): Promise<number> {
    const offsetBytes = await this.flush();
    await this.abandon();
    return offsetBytes;
  }

  async abandon(): Promise<void> {
    this.#isClosed = true;
    delete this.#object.writer;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new StoreUnavailable('the object is not open for writing any more');
  }
}
