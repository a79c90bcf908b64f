import { parseDigest, type Digest } from './digest.js';
import { RegistryError } from './errors.js';

declare const tagBrand: unique symbol;

/** A tag by the grammar of the distribution specification: at most 128 characters, none of which is a colon. */
export type Tag = string & { readonly [tagBrand]: true };

/** What a manifest is asked by. */
export type Reference =
  { readonly kind: 'tag'; readonly tag: Tag } | { readonly kind: 'digest'; readonly digest: Digest };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/** @throws RegistryError TAG_INVALID */
export function parseTag(text: string): Tag {
  if (isTag(text)) return text;
  throw new RegistryError('TAG_INVALID', {
    message: 'invalid tag: it is 1 to 128 letters, digits, "_", "." or "-", and does not begin with "." or "-"',
  });
}

/**
 * A digest always holds a colon and a tag never does: that alone decides which of the two a text is.
 * @throws RegistryError DIGEST_INVALID or TAG_INVALID
 */
export function parseReference(text: string): Reference {
  return text.includes(':') ? { kind: 'digest', digest: parseDigest(text) } : { kind: 'tag', tag: parseTag(text) };
}
