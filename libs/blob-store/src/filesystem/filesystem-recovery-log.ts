import { randomBytes } from 'node:crypto';
import { readFile, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecoveryName, type RecoveryLog, type RecoveryName } from '@entrepot/content';
import { closeFile, openFile, syncData, writeFully } from './files.js';
import { ObjectDirectories } from './object-directories.js';
import { storeFault, systemCode } from './store-fault.js';

const DIRECTORY = 'recovery';

/** Documents are files in `<root>/recovery`. What a crash left of one has another name, and is overlooked. */
export class FilesystemRecoveryLog implements RecoveryLog {
  readonly #root: string;
  readonly #directories: ObjectDirectories;

  constructor(root: string) {
    this.#root = root;
    this.#directories = new ObjectDirectories(root);
  }

  append(name: RecoveryName, bytes: Uint8Array): Promise<void> {
    return this.#guard(async () => {
      const path = this.#pathOf(name);
      const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
      // Also where it was made before: somebody may have removed it.
      await this.#directories.renew(DIRECTORY);
      try {
        await writeDurably(unfinished, bytes);
        await rename(unfinished, path);
      } catch (error) {
        await orNothing(unlink(unfinished));
        throw error;
      }
      await this.#directories.sync(DIRECTORY);
    });
  }

  list(): Promise<RecoveryName[]> {
    return this.#guard(async () => {
      const names = (await orNothing(readdir(join(this.#root, DIRECTORY)))) ?? [];
      return names.filter(isRecoveryName).toSorted();
    });
  }

  read(name: RecoveryName): Promise<Uint8Array | undefined> {
    return this.#guard(() => orNothing(readFile(this.#pathOf(name))));
  }

  remove(name: RecoveryName): Promise<void> {
    return this.#guard(async () => {
      await orNothing(unlink(this.#pathOf(name)));
    });
  }

  #pathOf(name: RecoveryName): string {
    if (!isRecoveryName(name)) throw new TypeError('not a name of the recovery log');
    return join(this.#root, DIRECTORY, name);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeFault(error, this.#root);
    }
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await openFile(path, 'wx', 0o660);
  try {
    await writeFully(file, bytes, 0);
    await syncData(file);
  } finally {
    await closeFile(file);
  }
}

async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
