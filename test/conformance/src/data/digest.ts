import { createHash, randomBytes } from 'node:crypto';

/** The registered algorithms. */
export type Algorithm = 'sha256' | 'sha512';

/** `algorithm:hex` of the bytes. */
export function digestOf(bytes: Buffer | string, algorithm: Algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Text that no earlier run has used, of lower-case letters and digits. */
export function randomText(): string {
  return randomBytes(13).toString('hex');
}
