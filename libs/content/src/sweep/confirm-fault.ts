import { findSizeFault, type Reading } from '../integrity/find-fault.js';
import type { LedgerBlob, ObjectLedger } from '../ports/object-ledger.js';
import type { BlobFault } from '../ports/quarantine.js';

/** A blob, as it is now, whose object is not what it should be. */
export interface AmissBlob {
  readonly blob: LedgerBlob;
  readonly fault: BlobFault;
}

/**
 * Looks a second time at a blob whose object a walk did not find, or found in another size: undefined where the blob was
 * removed, moved or put into quarantine meanwhile, or its object is there after all. Rejects with `StoreUnavailable` where
 * the store does not say.
 */
export async function confirmFault(
  walked: LedgerBlob,
  reading: Reading,
  ledger: ObjectLedger,
): Promise<AmissBlob | undefined> {
  const before = await ledger.blob(walked.digest);
  if (before?.objectKey !== walked.objectKey || before.fault !== undefined) return undefined;
  const fault = await findSizeFault(reading, before);
  if (fault === undefined) return undefined;
  // Removed, or moved and its old object gone, between the two questions: its row says so by now.
  const blob = await ledger.blob(walked.digest);
  return blob?.objectKey === walked.objectKey && blob.fault === undefined ? { blob, fault } : undefined;
}
