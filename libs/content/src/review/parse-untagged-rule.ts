import { parseDuration } from '@entrepot/oci';
import type { UntaggedRule } from '../ports/untagged-rules.js';

/** The database reads the text as an interval: nine digits are years enough. */
const LONGEST_DIGITS = /^\d{1,9}[a-z]/;

/** `keep`, `default`, or a duration such as `30d`; undefined for anything else. */
export function parseUntaggedRule(text: string): UntaggedRule | undefined {
  const isRule =
    text === 'keep' || text === 'default' || (LONGEST_DIGITS.test(text) && parseDuration(text) !== undefined);
  return isRule ? (text as UntaggedRule) : undefined;
}
