import type { AmissBlob } from './confirm-fault.js';

/** So many blobs may be all that there are. */
const FEW = 3;
const MAX_HELD = 1000;

/** A fault, and whether the store is trusted with it. */
export interface JudgedFault<Fault extends AmissBlob> {
  readonly amiss: Fault;
  readonly isTrusted: boolean;
}

/**
 * Holds faults back until the store has shown an object that it should have: one that shows none of them is empty, is
 * another one or is not mounted, and that says nothing of the blobs.
 */
export class FaultGate<Fault extends AmissBlob = AmissBlob> {
  readonly #held: Fault[] = [];

  constructor(private isOpen: boolean) {}

  /** What can be said of faults now that the store showed so many objects as they should be. */
  pass(amiss: readonly Fault[], soundObjects: number): JudgedFault<Fault>[] {
    this.isOpen ||= soundObjects > 0;
    if (this.isOpen) return [...this.#held.splice(0), ...amiss].map((each) => ({ amiss: each, isTrusted: true }));
    const room = MAX_HELD - this.#held.length;
    this.#held.push(...amiss.slice(0, room));
    return amiss.slice(room).map((each) => ({ amiss: each, isTrusted: false }));
  }

  /** What was held back to the end. */
  end(): JudgedFault<Fault>[] {
    const isTrusted = this.isOpen || this.#held.length <= FEW;
    return this.#held.splice(0).map((amiss) => ({ amiss, isTrusted }));
  }
}
