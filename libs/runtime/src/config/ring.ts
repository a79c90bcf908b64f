import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { Secret, SecretRing } from './secret.js';

const SEAL_VERSION = 'v1';
const SEAL_CIPHER = 'aes-256-gcm';
const KEY_ID_BYTES = 6;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** HMAC-SHA256 of `message` under the first secret, base64url without padding. */
export function signWithRing(ring: SecretRing, message: string): string {
  return computeMac(ring[0], message).toString('base64url');
}

/** Whether any secret of the ring made `signature` over `message`; the time taken tells nothing about which, or how close. */
export function verifyWithRing(ring: SecretRing, message: string, signature: string): boolean {
  const given = Buffer.from(signature, 'base64url');
  // base64url ignores what it does not know, so one signature would have many spellings.
  const isCanonical = given.toString('base64url') === signature;
  let verified = false;
  for (const secret of ring) {
    const expected = computeMac(secret, message);
    if (given.length === expected.length && timingSafeEqual(given, expected)) verified = true;
  }
  return verified && isCanonical;
}

/**
 * Seals a text for storage: `v1.<key id>.<nonce, ciphertext and tag in base64url>`, AES-256-GCM under a key derived from the
 * first secret. `purpose` is bound in (such as `signing-key:<kid>`): a value moved to another place does not open.
 */
export function sealWithRing(ring: SecretRing, plaintext: string, purpose: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(SEAL_CIPHER, deriveKey(ring[0]), nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${SEAL_VERSION}.${keyIdOf(ring[0])}.${sealed.toString('base64url')}`;
}

/**
 * Opens what `sealWithRing` made under any secret of the ring and the same purpose.
 * @throws Error where the secret is not in the ring, or the value was changed; the message holds neither.
 */
export function openWithRing(ring: SecretRing, sealed: string, purpose: string): string {
  const [version, keyId, body, ...rest] = sealed.split('.');
  if (version !== SEAL_VERSION || keyId === undefined || body === undefined || rest.length > 0) {
    throw new Error('not a sealed value, or sealed by a newer version');
  }
  const secret = ring.find((candidate) => keyIdOf(candidate) === keyId);
  if (secret === undefined)
    throw new Error('sealed under a secret that is not in the ring; add the former ENTREPOT_SECRETS_KEY');
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('the sealed value is cut short');
  const tag = bytes.subarray(-TAG_BYTES);
  const decipher = createDecipheriv(SEAL_CIPHER, deriveKey(secret), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(purpose))
    .setAuthTag(tag);
  try {
    const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(opened).toString('utf8');
  } catch (error) {
    throw new Error('the sealed value was changed, or sealed for another purpose', { cause: error });
  }
}

/** Whether a sealed value was made under another secret than the ring's first, and should be sealed again. */
export function isSealedByFormerSecret(ring: SecretRing, sealed: string): boolean {
  return sealed.split('.')[1] !== keyIdOf(ring[0]);
}

/** The ring as what seals and opens, for rooms that know no ring. */
export function ringSealer(ring: SecretRing) {
  return {
    seal: (plaintext: string, purpose: string): string => sealWithRing(ring, plaintext, purpose),
    open: (sealed: string, purpose: string): string => openWithRing(ring, sealed, purpose),
    isCurrent: (sealed: string): boolean => !isSealedByFormerSecret(ring, sealed),
  };
}

function computeMac(secret: Secret, message: string): Buffer {
  return createHmac('sha256', secret.reveal()).update(message).digest();
}

function deriveKey(secret: Secret): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), '', 'entrepot seal v1', 32));
}

/** Names a secret without telling it: a digest under a label of its own. */
function keyIdOf(secret: Secret): string {
  const digest = createHash('sha256').update('entrepot seal key id v1\0').update(secret.reveal()).digest();
  return digest.subarray(0, KEY_ID_BYTES).toString('base64url');
}
