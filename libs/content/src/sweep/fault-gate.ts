import { StoreUnavailable } from '../ports/blob-store.js';
import type { AmissBlob } from './confirm-fault.js';

/** So many blobs may be all that there are. */
const FEW = 3;
const MAX_HELD = 1000;

/**
 * Holds faults back until the store has shown an object that it should have: one that shows none of them is empty, is
 * another one or is not mounted, and that says nothing of the blobs.
 */
export class FaultGate<Fault extends AmissBlob = AmissBlob> {
  readonly #held: Fault[] = [];
  #heldBack = 0;

  constructor(
    private readonly where: string,
    private isOpen: boolean,
  ) {}

  /** The faults that may be acted on, now that the store showed so many objects that it should have. */
  pass(amiss: readonly Fault[], soundObjects: number): Fault[] {
    this.isOpen ||= soundObjects > 0;
    if (this.isOpen) return [...this.#held.splice(0), ...amiss];
    this.#heldBack += amiss.length;
    this.#held.push(...amiss.slice(0, MAX_HELD - this.#held.length));
    return [];
  }

  /** What was held back to the end. Throws `StoreUnavailable` where the store showed nothing that it should have. */
  end(): Fault[] {
    if (!this.isOpen && this.#heldBack > FEW) {
      throw new StoreUnavailable(
        `${this.where} shows none of ${this.#heldBack} objects that it should have: is it the right store, and is it mounted?`,
      );
    }
    return this.#held.splice(0);
  }
}
