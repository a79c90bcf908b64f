import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyFingerprint } from './key-fingerprint.js';

describe('keyFingerprint', () => {
  it('is the base32 of 240 bits of the SHA-256 of the SPKI, in twelve groups of four', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const fingerprint = keyFingerprint(publicKey);
    expect(fingerprint).toMatch(/^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
    const digest = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest();
    const bits = [...digest.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    const symbols = bits.match(/.{5}/g)?.map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group, 2)]);
    expect(fingerprint.replaceAll(':', '')).toBe(symbols?.join(''));
  });
});
