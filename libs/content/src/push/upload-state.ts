import { RegistryError } from '@entrepot/oci';
import type { UploadRef } from '../ports/uploads.js';

/** The secret ring that replicas share: the first signs, all verify. */
export interface StateSigner {
  /** MAC of the text, base64url. */
  sign(text: string): string;
  /** Compares in constant time. */
  verify(text: string, mac: string): boolean;
}

const FORM = /^v1\.(0|[1-9][0-9]{0,15})\.([A-Za-z0-9_-]{43})$/;

function signedText(ref: UploadRef, offset: string): string {
  return ['upload-state', 'v1', ref.uploadId, ref.repositoryId, ref.accountId, offset].join('\n');
}

/**
 * The `_state` parameter of an upload's Location: the offset that its holder knows of, bound to upload, repository and
 * account. It opens nothing that the token does not; it makes ids useless to others and replays visible.
 */
export function encodeUploadState(ref: UploadRef, offsetBytes: number, signer: StateSigner): string {
  const offset = String(offsetBytes);
  return `v1.${offset}.${signer.sign(signedText(ref, offset))}`;
}

/**
 * Offset that the state speaks of. A malformed state is BLOB_UPLOAD_INVALID; none, a forged or a foreign one is
 * BLOB_UPLOAD_UNKNOWN, the answer for an upload that does not exist.
 */
export function readUploadState(ref: UploadRef, state: string | undefined, signer: StateSigner): number {
  if (state === undefined) throw new RegistryError('BLOB_UPLOAD_UNKNOWN');
  const [, offset, mac] = FORM.exec(state) ?? [];
  if (offset === undefined || mac === undefined) throw new RegistryError('BLOB_UPLOAD_INVALID');
  if (!signer.verify(signedText(ref, offset), mac)) throw new RegistryError('BLOB_UPLOAD_UNKNOWN');
  return Number(offset);
}
