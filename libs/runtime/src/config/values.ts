import { parseByteSize, parseDuration } from '@entrepot/oci';
import { z } from 'zod';
import { Secret } from './secret.js';
import type { SecretRing } from './secret.js';

const RING_SECRET_MIN_LENGTH = 32;
const RING_SECRET_MIN_DISTINCT = 5;
const PLACEHOLDER = /change[-_ ]?me|example|placeholder|replace[-_ ]?(me|this)/i;

/** A duration such as `15s`, `250ms`, `7d` or `0s`; parsed to milliseconds. */
export function durationMs() {
  return quantity(parseDuration, 'a duration such as 250ms, 15s, 5m, 2h or 7d').meta({ unit: 'ms' });
}

/** A size such as `64KiB` or `4MiB`; parsed to bytes. */
export function byteSize() {
  return quantity(parseByteSize, 'a size such as 512B, 64KiB, 4MiB or 1GiB').meta({ unit: 'bytes' });
}

/** A TCP port; 0 where the setting says what it means. */
export function port() {
  return wholeNumber({ min: 0, max: 65_535 });
}

/** A whole number in decimal digits, within bounds. */
export function wholeNumber(bounds: { readonly min: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(bounds.min).max(bounds.max));
}

/** `true` or `false` (also `1`/`0`, `yes`/`no`, `on`/`off`). */
export function boolean() {
  return z.stringbool({
    truthy: ['true', '1', 'yes', 'on'],
    falsy: ['false', '0', 'no', 'off'],
    error: 'must be true or false',
  });
}

/** One secret text, at least `minLength` characters; never printed. */
export function secret(minLength = 1) {
  return z
    .string()
    .min(minLength, `must have at least ${minLength} characters`)
    .transform((text) => new Secret(text))
    .meta({ secret: true });
}

/**
 * Comma-separated secrets, newest first, each at least 32 characters and none of them a placeholder: a known
 * secret is as good as none (security checklist Q-01).
 */
export function secretRing() {
  return z
    .string()
    .transform((text, context): SecretRing => {
      const secrets = text.split(',').map((part) => part.trim());
      const problem = secrets.map(weaknessOf).find((found) => found !== undefined);
      if (problem !== undefined) {
        context.addIssue({ code: 'custom', message: problem });
        return z.NEVER;
      }
      const [first = '', ...rest] = secrets;
      return [new Secret(first), ...rest.map((part) => new Secret(part))];
    })
    .meta({ secret: true });
}

/** Comma-separated texts; blank entries are dropped. */
export function textList() {
  return z.string().transform((text): readonly string[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
}

function weaknessOf(text: string): string | undefined {
  if (text === '') return 'holds a blank secret';
  if (text.length < RING_SECRET_MIN_LENGTH)
    return `each secret must have at least ${RING_SECRET_MIN_LENGTH} characters`;
  if (new Set(text).size < RING_SECRET_MIN_DISTINCT) return 'is too simple; use random characters';
  if (PLACEHOLDER.test(text)) return 'is a placeholder; use random characters';
  return undefined;
}

function quantity(parse: (text: string) => number | undefined, expected: string) {
  return z.string().transform((text, context): number => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `must be ${expected}` });
    return z.NEVER;
  });
}
