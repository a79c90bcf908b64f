import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from './files.js';
import { joinCalls } from './join-calls.js';
import { systemCode } from './store-fault.js';

/** The directories of a store, named relative to its root. */
export class ObjectDirectories {
  readonly #root: string;
  readonly #durable = new Map<string, Promise<void>>();
  readonly #syncs = new Map<string, () => Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the directory and those above it, up to the root, so that they survive a power loss. Asks the disk once. */
  ensure(directory: string): Promise<void> {
    if (directory === '.') return Promise.resolve();
    const known = this.#durable.get(directory);
    if (known !== undefined) return known;
    const making = this.#make(directory).catch((error: unknown) => {
      this.#durable.delete(directory);
      throw error;
    });
    this.#durable.set(directory, making);
    return making;
  }

  /** Like `ensure`, for a directory that turned out to be gone: what was known of it and those above it is forgotten. */
  renew(directory: string): Promise<void> {
    for (let each = directory; each !== '.'; each = dirname(each)) this.#durable.delete(each);
    return this.ensure(directory);
  }

  /** Makes the names in the directory survive a power loss. Callers at the same time share the work. */
  async sync(directory: string): Promise<void> {
    const sync = this.#syncs.get(directory) ?? joinCalls(() => syncDirectory(join(this.#root, directory)));
    this.#syncs.set(directory, sync);
    await sync();
  }

  async #make(directory: string): Promise<void> {
    const parent = dirname(directory);
    await this.ensure(parent);
    try {
      await mkdir(join(this.#root, directory), { mode: 0o770 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    // Also where it was there already: another process may have made it and not synced it yet.
    await this.sync(parent);
  }
}
