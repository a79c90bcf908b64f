import { RegistryError } from '@entrepot/oci';
import type { UploadRef } from '../ports/uploads.js';
import type { PushRoom } from './push-room.js';

/** Ends an upload without a blob (end-14); its bytes are removed later. */
export async function cancelUpload(room: PushRoom, ref: UploadRef): Promise<void> {
  room.hashes.drop(ref.uploadId);
  if (!(await room.uploads.cancel(ref))) throw new RegistryError('BLOB_UPLOAD_UNKNOWN');
  room.onDoomed?.();
}
