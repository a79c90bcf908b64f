import { RegistryError, type DigestAlgorithm } from '@entrepot/oci';
import type { UploadRef } from '../ports/uploads.js';
import type { PushRoom } from './push-room.js';

export interface StartUpload {
  readonly repositoryId: string;
  readonly accountId: string;
  /** What to hash by while bytes come (distribution specification, end-4c); any other costs a second read at the end. */
  readonly algorithm: DigestAlgorithm;
}

/** Opens an upload (end-4a). Rejects with TOOMANYREQUESTS where the account has too many open. */
export async function startUpload(room: PushRoom, start: StartUpload): Promise<UploadRef> {
  const ref = { uploadId: room.newId(), repositoryId: start.repositoryId, accountId: start.accountId };
  const upload = { ...ref, objectKey: room.store.newKey(), algorithm: start.algorithm, limit: room.maxUploads };
  if (await room.uploads.start(upload)) return ref;
  throw new RegistryError('TOOMANYREQUESTS', {
    message: `${room.maxUploads} uploads of this account are open; finish or cancel some (ENTREPOT_CONTENT_MAX_UPLOADS)`,
    headers: { 'Retry-After': '60' },
  });
}
