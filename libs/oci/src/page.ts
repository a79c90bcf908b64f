import { RegistryError } from './errors.js';

/** One page of a listing: at most `n` entries, all after `last`. */
export interface Page {
  readonly n: number;
  readonly last?: string;
}

export interface PageBounds {
  readonly defaultN: number;
  readonly maxN: number;
  /** What an `n` above the maximum does: tags take the maximum, Docker's catalog answers 400. */
  readonly above: 'clamp' | 'refuse';
}

/** Longest `last`: nothing that is listed has a longer name. */
const MAX_LAST_LENGTH = 512;

/**
 * Reads the parameters `n` and `last`. `n=0` is a page without entries; an empty `last` is the beginning.
 * @throws RegistryError PAGINATION_NUMBER_INVALID for an `n` that is no whole number and a `last` that cannot be one
 */
export function parsePage(asked: { n: string | undefined; last: string | undefined }, bounds: PageBounds): Page {
  const n = parseCount(asked.n, bounds);
  if (asked.last === undefined || asked.last === '') return { n };
  if (asked.last.length > MAX_LAST_LENGTH) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', {
      message: `last is longer than ${MAX_LAST_LENGTH} characters`,
    });
  }
  return { n, last: asked.last };
}

function parseCount(text: string | undefined, { defaultN, maxN, above }: PageBounds): number {
  if (text === undefined) return defaultN;
  const n = /^[0-9]{1,32}$/.test(text) ? Number(text) : Number.NaN;
  if (n <= maxN) return n;
  if (n > maxN && above === 'clamp') return maxN;
  throw new RegistryError('PAGINATION_NUMBER_INVALID', {
    message: `n must be a whole number from 0 to ${maxN}`,
    detail: { n: text.slice(0, 32) },
  });
}

/**
 * The value of the Link header that leads to the next page (RFC 8288).
 * @param path path-absolute, with the query that has to stay, if any
 * @param last the last entry of this page
 */
export function nextLink(path: string, n: number, last: string): string {
  const separator = path.includes('?') ? '&' : '?';
  return `<${path}${separator}n=${n}&last=${encodeURIComponent(last)}>; rel="next"`;
}
