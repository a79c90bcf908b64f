import { randomUUID } from 'node:crypto';
import { ObjectMissing, ObjectShort, StoreUnavailable } from '@entrepot/content';
import type {
  ByteRange,
  CompletedObject,
  DurableState,
  ListedObject,
  ObjectKey,
  ObjectRecord,
  ObjectWriter,
  WalkedStore,
} from '@entrepot/content';

const CHUNK_BYTES = 64 * 1024;
const RESIDUE = '-residue';
const UUID_LENGTH = 36;

interface MemoryObject {
  readonly bytes: Buffer;
  readonly modifiedAt: Date;
  readonly record?: ObjectRecord;
}

/** What was written under the key of one upload. */
interface MemoryUpload {
  /** Objects by key; the one under the upload's own key is unfinished. */
  readonly objects: Map<ObjectKey, MemoryObject>;
  /** Bytes by the `resume` that they were made durable with. */
  readonly states: Map<string, Buffer>;
  writer?: MemoryWriter;
}

type Sink = (chunk: Uint8Array) => Promise<void>;

/**
 * A store that forgets everything with its process: for specs. As strict as the promises of the port allow: objects are
 * completed under another key, and states are worth nothing without their `resume`.
 */
export class MemoryBlobStore implements WalkedStore {
  readonly #uploads = new Map<ObjectKey, MemoryUpload>();

  newKey(): ObjectKey {
    return randomUUID() as string as ObjectKey;
  }

  async write(key: ObjectKey, { offsetBytes, resume }: DurableState): Promise<ObjectWriter> {
    const upload: MemoryUpload = this.#uploads.get(key) ?? { objects: new Map(), states: new Map() };
    await upload.writer?.abandon();
    const bytes = offsetBytes === 0 ? Buffer.alloc(0) : upload.states.get(resume ?? '');
    if (bytes === undefined || bytes.length !== offsetBytes) throw new ObjectMissing(key);
    this.#uploads.set(key, upload);
    upload.writer = new MemoryWriter(key, upload, bytes);
    return upload.writer;
  }

  async read(key: ObjectKey, range: ByteRange, sink: Sink): Promise<void> {
    const object = this.#find(key);
    if (object?.record === undefined) throw new ObjectMissing(key);
    await feed(object.bytes, range, sink);
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    const object = this.#find(key);
    return object?.record && object.bytes.length;
  }

  async record(key: ObjectKey): Promise<ObjectRecord | undefined> {
    return this.#find(key)?.record;
  }

  storeOf(): string {
    return 'memory';
  }

  async remove(key: ObjectKey): Promise<void> {
    const upload = this.#uploads.get(this.uploadOf(key));
    if (upload === undefined) return;
    if (key.endsWith(RESIDUE)) {
      const kept = key.slice(0, -RESIDUE.length);
      for (const name of upload.objects.keys()) if (name !== kept) upload.objects.delete(name);
      return;
    }
    await upload.writer?.abandon();
    this.#uploads.delete(this.uploadOf(key));
  }

  async removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
    for (const key of keys) await this.remove(key);
    return new Map();
  }

  async *list({ after }: { after?: ObjectKey } = {}): AsyncGenerator<ListedObject> {
    for (const upload of [...this.#uploads.keys()].toSorted()) {
      for await (const found of this.listUpload(upload)) if (after === undefined || found.key > after) yield found;
    }
  }

  async *listUpload(upload: ObjectKey): AsyncGenerator<ListedObject> {
    const objects = [...(this.#uploads.get(upload)?.objects ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, { bytes, modifiedAt, record }] of objects) {
      yield { key, sizeBytes: bytes.length, modifiedAt, hasRecord: record !== undefined };
    }
  }

  /** The key of a completed object is that of its upload with one UUID more. */
  uploadOf(key: ObjectKey): ObjectKey {
    return key.slice(0, UUID_LENGTH) as ObjectKey;
  }

  residueOf(object: ObjectKey): ObjectKey {
    return `${object}${RESIDUE}` as ObjectKey;
  }

  async now(): Promise<Date> {
    return new Date();
  }

  async writeRecord(key: ObjectKey, record: ObjectRecord): Promise<void> {
    const object = this.#find(key);
    if (object === undefined) throw new ObjectMissing(key);
    this.#uploads.get(this.uploadOf(key))?.objects.set(key, { ...object, record: { ...record } });
  }

  async check(): Promise<void> {}

  #find(key: ObjectKey): MemoryObject | undefined {
    return this.#uploads.get(this.uploadOf(key))?.objects.get(key);
  }
}

async function feed(bytes: Buffer, range: ByteRange, sink: Sink): Promise<void> {
  for (let start = range.start; start <= range.end; start += CHUNK_BYTES) {
    const end = Math.min(start + CHUNK_BYTES, range.end + 1);
    if (end > bytes.length) throw new ObjectShort('an object ends before the range that was asked for');
    const chunk = Buffer.from(bytes.subarray(start, end));
    await sink(chunk);
    // The promise is over: a sink that kept the chunk reads rubbish here as it would elsewhere.
    chunk.fill(0xdb);
  }
}

/** Keeps chunks apart until they are made durable, as other stores may. */
class MemoryWriter implements ObjectWriter {
  readonly isDoubtful = false;
  readonly #key: ObjectKey;
  readonly #upload: MemoryUpload;
  #bytes: Buffer;
  #chunks: Buffer[] = [];
  #offsetBytes: number;
  #isClosed = false;
  #isReadBack = false;

  constructor(key: ObjectKey, upload: MemoryUpload, bytes: Buffer) {
    this.#key = key;
    this.#upload = upload;
    this.#bytes = bytes;
    this.#offsetBytes = bytes.length;
  }

  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#refuseClosed();
    this.#chunks.push(Buffer.from(chunk));
    this.#offsetBytes += chunk.length;
  }

  async flush(): Promise<DurableState> {
    this.#refuseClosed();
    this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks]);
    this.#chunks = [];
    const resume = randomUUID();
    this.#upload.states.set(resume, this.#bytes);
    this.#upload.objects.set(this.#key, { bytes: this.#bytes, modifiedAt: new Date() });
    return { offsetBytes: this.#offsetBytes, resume };
  }

  async readBack(sink: Sink): Promise<void> {
    await this.flush();
    this.#isReadBack = true;
    await feed(this.#bytes, { start: 0, end: this.#offsetBytes - 1 }, sink);
  }

  async complete(record: ObjectRecord): Promise<CompletedObject> {
    this.#isReadBack = false;
    await this.flush();
    const key = `${this.#key}${randomUUID()}` as ObjectKey;
    this.#upload.objects.delete(this.#key);
    this.#upload.objects.set(key, { bytes: this.#bytes, modifiedAt: new Date(), record: { ...record } });
    await this.abandon();
    return { key };
  }

  async suspend(): Promise<DurableState> {
    const state = await this.flush();
    await this.abandon();
    return state;
  }

  async abandon(): Promise<void> {
    this.#isClosed = true;
    if (this.#upload.writer === this) delete this.#upload.writer;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new StoreUnavailable('the object is not open for writing any more');
    if (this.#isReadBack) throw new StoreUnavailable('the object was read back and takes no more bytes');
  }
}
