import type { RecoveryLog, RecoveryName } from '@entrepot/content';

/** A log that forgets everything with its process: for specs. */
export class MemoryRecoveryLog implements RecoveryLog {
  readonly #documents = new Map<RecoveryName, Uint8Array>();

  async append(name: RecoveryName, bytes: Uint8Array): Promise<void> {
    this.#documents.set(name, Uint8Array.from(bytes));
  }

  async list(): Promise<RecoveryName[]> {
    return [...this.#documents.keys()].toSorted();
  }

  async read(name: RecoveryName): Promise<Uint8Array | undefined> {
    const bytes = this.#documents.get(name);
    return bytes && Uint8Array.from(bytes);
  }

  async remove(name: RecoveryName): Promise<void> {
    this.#documents.delete(name);
  }
}
