import { RegistryError } from '@entrepot/oci';
import { ObjectMissing } from '../ports/blob-store.js';

/**
 * Does some work on the object of an upload. Where the row speaks of bytes that the store has lost, the client's only way on
 * is a new upload: BLOB_UPLOAD_UNKNOWN.
 */
export async function unlessLost<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectMissing) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { cause: error });
    throw error;
  }
}
