import { RegistryError } from './errors.js';

declare const digestBrand: unique symbol;

/** The algorithms registered by the image specification ("Digests"). */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** A digest of a registered algorithm: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits. */
export type Digest = string & { readonly [digestBrand]: true };

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const REGISTERED = /^sha(?:256|512):/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @throws RegistryError DIGEST_INVALID; its message tells an unsupported algorithm from a malformed digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const message =
    !REGISTERED.test(text) && text.indexOf(':') > 0
      ? 'the digest algorithm is not supported; use sha256 or sha512'
      : 'the digest is malformed; it must be sha256: or sha512: and lower-case hexadecimal digits of the full length';
  throw new RegistryError('DIGEST_INVALID', { message });
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The encoded part, after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
