import { describe, expect, it } from 'vitest';
import { isSealedByFormerSecret, openWithRing, sealWithRing, signWithRing, verifyWithRing } from './ring.js';
import { Secret } from './secret.js';
import type { SecretRing } from './secret.js';

const former = new Secret('Zp4kW7uC2xV9nQ1tM6sF3gH8jL5dR0bY');
const current = new Secret('qN3vX8zL1mB6cR0yT5wK9eJ2hG7fD4sA');
const before: SecretRing = [former];
const rotating: SecretRing = [current, former];
const after: SecretRing = [current];

describe('signatures of a ring', () => {
  it('verifies under every secret of the ring while one is replaced', () => {
    const old = signWithRing(before, 'message');
    expect(verifyWithRing(rotating, 'message', old)).toBe(true);
    expect(verifyWithRing(after, 'message', old)).toBe(false);
    expect(verifyWithRing(after, 'message', signWithRing(rotating, 'message'))).toBe(true);
  });

  it('refuses another message, another signature and another spelling of the same one', () => {
    const signature = signWithRing(after, 'message');
    expect(verifyWithRing(after, 'massage', signature)).toBe(false);
    for (const other of [
      '',
      'A',
      signature.slice(1),
      `${signature}=`,
      `${signature} `,
      `${signature.slice(0, -1)}\u0000`,
    ]) {
      expect(verifyWithRing(after, 'message', other)).toBe(false);
    }
  });
});

describe('seals of a ring', () => {
  it('opens under every secret of the ring, and says when a seal is old', () => {
    const old = sealWithRing(before, 'key material', 'signing-key:1');
    expect(openWithRing(rotating, old, 'signing-key:1')).toBe('key material');
    expect(isSealedByFormerSecret(rotating, old)).toBe(true);
    const fresh = sealWithRing(rotating, 'key material', 'signing-key:1');
    expect(isSealedByFormerSecret(rotating, fresh)).toBe(false);
    expect(openWithRing(after, fresh, 'signing-key:1')).toBe('key material');
  });

  it('seals the same text differently each time', () => {
    expect(sealWithRing(after, 'text', 'a')).not.toBe(sealWithRing(after, 'text', 'a'));
  });

  it('does not open for another purpose, under other secrets, or changed', () => {
    const sealed = sealWithRing(after, 'key material', 'signing-key:1');
    expect(() => openWithRing(after, sealed, 'signing-key:2')).toThrow('for another purpose');
    expect(() => openWithRing(before, sealed, 'signing-key:1')).toThrow('not in the ring');
    const [version, keyId, body = ''] = sealed.split('.');
    for (const index of [0, 20, body.length - 2]) {
      const swapped = body[index] === 'A' ? 'B' : 'A';
      const changed = `${version}.${keyId}.${body.slice(0, index)}${swapped}${body.slice(index + 1)}`;
      expect(() => openWithRing(after, changed, 'signing-key:1')).toThrow('was changed');
    }
    for (const broken of [
      '',
      'v1',
      `${version}.${keyId}.`,
      `${version}.${keyId}.AAAA`,
      `v2.${keyId}.${body}`,
      `${sealed}.x`,
    ]) {
      expect(() => openWithRing(after, broken, 'signing-key:1')).toThrow(/sealed value/);
    }
  });
});
