import { randomUUID } from 'node:crypto';
import {
  RunningHashes,
  watchStore,
  watchUploads,
  type BlobStore,
  type PushRoom,
  type Uploads,
} from '@entrepot/content';

/** Short, so that leases run out often. */
export const LEASE_MS = 150;

export type Fate = 'crash' | 'pause';

/**
 * A data plane that can die or stand still between any two steps of its operations, as a process does that is killed or
 * stopped. What it does when it is dead nobody ever hears of.
 */
export class Replica {
  readonly room: PushRoom;
  #stepsLeft = Number.POSITIVE_INFINITY;
  #fate: Fate = 'crash';
  #isDead = false;
  #waking: PromiseWithResolvers<void> | undefined;

  constructor(uploads: Uploads, store: BlobStore) {
    const reached = (): Promise<void> => this.#step();
    this.room = {
      uploads: watchUploads(uploads, reached),
      store: watchStore(store, reached),
      hashes: new RunningHashes(),
      leaseMs: LEASE_MS,
      graceMs: 60_000,
      maxBlobBytes: 2 ** 30,
      maxUploads: 100_000,
      newId: randomUUID,
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isAsleep(): boolean {
    return this.#waking !== undefined;
  }

  /** Meets its fate after so many steps. */
  doom(fate: Fate, steps: number): void {
    this.#fate = fate;
    this.#stepsLeft = steps;
  }

  /** What was to happen and did not is called off; what stands still goes on. */
  wake(): void {
    this.#stepsLeft = Number.POSITIVE_INFINITY;
    this.#waking?.resolve();
    this.#waking = undefined;
  }

  async #step(): Promise<void> {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft <= 0 && this.#fate === 'crash') this.#isDead = true;
    if (this.#isDead) await new Promise(() => {});
    if (this.#stepsLeft <= 0) this.#waking ??= Promise.withResolvers();
    await this.#waking?.promise;
  }
}
