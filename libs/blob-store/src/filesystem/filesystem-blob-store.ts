import { constants } from 'node:fs';
import { copyFile, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ObjectMissing } from '@entrepot/content';
import type { ByteRange, ListedObject, ObjectKey, ObjectRecord, WalkedStore, WriteFrom } from '@entrepot/content';
import { BufferPool } from './buffer-pool.js';
import { closeFile, openFile, statFile, truncateFile } from './files.js';
import { FreeSpace } from './free-space.js';
import { listObjects, listUpload } from './list-objects.js';
import { ObjectDirectories } from './object-directories.js';
import { isObjectKey, keySource, locateObject, newNameOf, residueOf, uploadOf } from './object-path.js';
import type { ObjectPath } from './object-path.js';
import { parseRecord } from '../object-record.js';
import { FileObjectWriter } from './object-writer.js';
import { probeStore, readClock } from './probe-store.js';
import { readRange } from './read-range.js';
import { removeObjects, unlinkObject, type RemovalRoom } from './remove-objects.js';
import { locateStray, uploadOfAny } from './stray-files.js';
import { orNothing, storeFault, systemCode } from './store-fault.js';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

export interface FilesystemBlobStoreOptions {
  /** Directory of the store; replicas may share it. */
  readonly root: string;
  /** Space of the file system that is left alone: below it, no object is begun or continued. */
  readonly minFreeBytes: number;
  /** Memory for buffers that readers and writers share; they make do with less when it is out. */
  readonly bufferBytes: number;
}

/**
 * Made by `openFilesystemBlobStore`. Objects are files at `<root>/objects/<2 hex>/<2 hex>/<key>`, written in place,
 * each with its record beside it in `<key>.json` (docs/adr/0002-object-keys-in-place.md).
 */
export class FilesystemBlobStore implements WalkedStore {
  readonly newKey = keySource();
  readonly uploadOf = uploadOfAny;
  readonly residueOf = residueOf;
  readonly #root: string;
  readonly #directories: ObjectDirectories;
  readonly #space: FreeSpace;
  readonly #pool: BufferPool;
  readonly #writers = new Map<ObjectKey, FileObjectWriter>();
  readonly #removalRoom: RemovalRoom;

  constructor(options: FilesystemBlobStoreOptions) {
    this.#root = options.root;
    this.#directories = new ObjectDirectories(options.root);
    this.#space = new FreeSpace(options.root, options.minFreeBytes);
    this.#pool = new BufferPool(options.bufferBytes);
    this.#removalRoom = {
      root: options.root,
      abandon: async (upload) => this.#writers.get(upload)?.abandon(),
      sync: (directory) => this.#directories.sync(directory),
    };
  }

  /**
   * One of another process that was abandoned cannot be reached. It may have the file open, or be about to: the object is
   * given another name, under which it cannot be found, and a file of its own.
   */
  write(upload: ObjectKey, { offsetBytes, resume, wasAbandoned }: WriteFrom): Promise<FileObjectWriter> {
    return this.#guard(async () => {
      const former = nameOf(upload, resume);
      await this.#space.require();
      // One that the lease was taken from and that has not noticed.
      await this.#writers.get(upload)?.abandon();
      const name = wasAbandoned === true ? newNameOf(upload) : former;
      if (offsetBytes > 0 && name !== former) await this.#copy(former, name);
      const file =
        offsetBytes === 0 ? await this.#createFile(locateObject(name)) : await this.#continueFile(name, offsetBytes);
      return this.#openWriter({ upload, name }, { file, offsetBytes });
    });
  }

  async read(key: ObjectKey, range: ByteRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const file = await this.#guard(() => this.#openExisting(key, constants.O_RDONLY));
    try {
      await readRange({ file, pool: this.#pool, toFault: (error) => storeFault(error, this.#root) }, range, sink);
    } finally {
      await closeFile(file);
    }
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return this.#guard(async () => {
      const path = locateStray(key)?.path ?? locateObject(key).object;
      return (await this.#found(stat(join(this.#root, path))))?.size;
    });
  }

  record(key: ObjectKey): Promise<ObjectRecord | undefined> {
    return this.#guard(async () => {
      const text = await orNothing(readFile(join(this.#root, locateObject(key).record), 'utf8'));
      return text === undefined ? undefined : parseRecord(text);
    });
  }

  storeOf(): string {
    return 'filesystem';
  }

  async remove(key: ObjectKey): Promise<void> {
    for (const reason of (await this.removeMany([key])).values()) throw reason;
  }

  removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
    return removeObjects(this.#removalRoom, keys);
  }

  list({ after }: { after?: ObjectKey } = {}): AsyncGenerator<ListedObject> {
    return this.#guardAll(listObjects(this.#root, after));
  }

  listUpload(upload: ObjectKey): AsyncGenerator<ListedObject> {
    return this.#guardAll(listUpload(this.#root, upload));
  }

  /** Of the file system, which may be that of another machine. */
  now(): Promise<Date> {
    return this.#guard(() => readClock(this.#root));
  }

  /** One that a crash leaves torn is one that is not there, as before. */
  writeRecord(key: ObjectKey, record: ObjectRecord): Promise<void> {
    return this.#guard(async () => {
      const { directory, object, record: name } = locateObject(key);
      if ((await orNothing(stat(join(this.#root, object)))) === undefined) throw new ObjectMissing(key);
      await writeFile(join(this.#root, name), `${JSON.stringify(record)}\n`, { mode: 0o660, flush: true });
      await this.#directories.sync(directory);
    });
  }

  check(): Promise<void> {
    return this.#guard(async () => {
      await this.#space.measure();
      await this.#space.require();
      await probeStore(this.#root);
    });
  }

  /** Bytes that the store may still take, the part that is kept free included. */
  freeBytes(): Promise<number> {
    return this.#guard(() => this.#space.measure());
  }

  /** Always a file of its own: a writer that still has a former one of this name open cannot reach the new one. */
  async #createFile(path: ObjectPath): Promise<number> {
    await this.#directories.ensure(path.directory);
    const create = (): Promise<number> => openFile(join(this.#root, path.object), CREATE, 0o660);
    try {
      return await create();
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EEXIST') await unlinkObject(this.#root, path);
      else if (code === 'ENOENT') await this.#directories.renew(path.directory);
      else throw error;
      return create();
    }
  }

  /** Cuts off what lies beyond the offset, and with it the record, which spoke of other bytes. */
  async #continueFile(key: ObjectKey, offsetBytes: number): Promise<number> {
    const file = await this.#openExisting(key, constants.O_WRONLY);
    try {
      const { size } = await statFile(file);
      if (size < offsetBytes) throw new ObjectMissing(key);
      if (size > offsetBytes) {
        await orNothing(unlink(join(this.#root, locateObject(key).record)));
        await truncateFile(file, offsetBytes);
      }
      return file;
    } catch (error) {
      await closeFile(file);
      throw error;
    }
  }

  async #openExisting(key: ObjectKey, flags: number): Promise<number> {
    const file = await this.#found(openFile(join(this.#root, locateObject(key).object), flags));
    if (file === undefined) throw new ObjectMissing(key);
    return file;
  }

  /** A file that is not there is missing only where the store is: a volume that is not mounted has no objects at all. */
  async #found<T>(work: Promise<T>): Promise<T | undefined> {
    const found = await orNothing(work);
    if (found === undefined) await stat(join(this.#root, 'objects'));
    return found;
  }

  /** At the cost of a copy, unless the file system can share the bytes of two files. */
  async #copy(from: ObjectKey, to: ObjectKey): Promise<void> {
    const [source, target] = [from, to].map((name) => join(this.#root, locateObject(name).object));
    const copied = copyFile(String(source), String(target), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await orNothing(copied);
  }

  #openWriter(
    { upload, name }: { upload: ObjectKey; name: ObjectKey },
    at: { file: number; offsetBytes: number },
  ): FileObjectWriter {
    const path = locateObject(name);
    const writer = new FileObjectWriter(at.file, at.offsetBytes, {
      root: this.#root,
      upload,
      name,
      readBack: (sizeBytes, sink) => this.read(name, { start: 0, end: sizeBytes - 1 }, sink),
      recordPath: join(this.#root, path.record),
      pool: this.#pool,
      syncName: () => this.#directories.sync(path.directory),
      onClose: () => {
        if (this.#writers.get(upload) === writer) this.#writers.delete(upload);
      },
    });
    this.#writers.set(upload, writer);
    return writer;
  }

  async *#guardAll<T>(all: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      yield* all;
    } catch (error) {
      throw storeFault(error, this.#root);
    }
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeFault(error, this.#root);
    }
  }
}

/** What the object of an upload is called by what its last writer said. */
function nameOf(upload: ObjectKey, resume: string | undefined): ObjectKey {
  if (!isObjectKey(upload) || uploadOf(upload) !== upload) throw new TypeError('not the key of an upload');
  if (resume === undefined) return upload;
  const name = resume as ObjectKey;
  if (!isObjectKey(name) || uploadOf(name) !== upload) throw new ObjectMissing(upload);
  return name;
}
