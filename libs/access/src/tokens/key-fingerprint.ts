import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const FINGERPRINT_BYTES = 30;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * Key id as Docker's registries name keys (libtrust): the first 240 bits of the SHA-256 of the public key's DER form,
 * in base32, as twelve groups of four.
 */
export function keyFingerprint(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const digest = createHash('sha256').update(der).digest().subarray(0, FINGERPRINT_BYTES);
  const groups = base32(digest).match(/.{4}/g) ?? [];
  return groups.join(':');
}

/** RFC 4648 without padding; the length is a multiple of five bytes. */
function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = BigInt(bytes.length * 8 - 5); shift >= 0n; shift -= 5n)
    text += BASE32[Number((bits >> shift) & 31n)];
  return text;
}
