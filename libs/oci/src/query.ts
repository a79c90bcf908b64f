import { RegistryError } from './errors.js';

/** The decoded parameters of a query string. A parameter may stand several times (`tag=a&tag=b`). */
export interface Query {
  first(name: string): string | undefined;
  all(name: string): readonly string[];
}

export const MAX_QUERY_PARAMETERS = 128;

const NONE: readonly string[] = [];

/**
 * Reads a raw query string as a form: `+` is a space. Linear, and bounded by the number of parameters.
 * @throws RegistryError 400 UNSUPPORTED for malformed percent-encoding, for control characters (none is meaningful
 * here, and NUL does not exist in Postgres), 414 SIZE_INVALID for too many parameters
 */
export function parseQuery(raw: string): Query {
  const values = new Map<string, string[]>();
  const pairs = raw === '' ? NONE : raw.split('&', MAX_QUERY_PARAMETERS + 1);
  if (pairs.length > MAX_QUERY_PARAMETERS) {
    throw new RegistryError('SIZE_INVALID', {
      status: 414,
      message: `the query has more than ${MAX_QUERY_PARAMETERS} parameters`,
    });
  }
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return {
    first: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? NONE,
  };
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '));
    if (isPrintable(decoded)) return decoded;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw new RegistryError('UNSUPPORTED', { status: 400, message: 'the query is not percent-encoded text' });
}

function isPrintable(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  }
  return text.isWellFormed();
}
