/** A name in the log: a number of 16 digits, what kind of document it is, and the form of its bytes. */
export type RecoveryName = string & { readonly recoveryName: unique symbol };

const NAME = /^[0-9]{16}(-more|-part-[0-9]{6}|-snapshot)?\.jsonl\.gz$/;

/** Whether a text is a name of the log; no other ever becomes part of a path. */
export function isRecoveryName(text: string): text is RecoveryName {
  return NAME.test(text);
}

/**
 * Documents that lie beside the objects of a store and outlive the database: small, written once, never changed. Objects
 * and the log know nothing of each other: neither is listed or removed with the other. Rejects with `StoreUnavailable`.
 */
export interface RecoveryLog {
  /** Writes a document so that a power loss does not take it back, and whole or not at all. */
  append(name: RecoveryName, bytes: Uint8Array): Promise<void>;
  /** Every document's name, in bytewise order. */
  list(): Promise<RecoveryName[]>;
  /** Undefined where there is no such document. */
  read(name: RecoveryName): Promise<Uint8Array | undefined>;
  /** Removing what is not there succeeds. */
  remove(name: RecoveryName): Promise<void>;
}
