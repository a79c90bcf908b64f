/** What a request's Authorization header holds. */
export type Authorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly name: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Another scheme, not parseable, or more than one header: never guessed at. */
  | { readonly kind: 'malformed' };

const NONE: Authorization = { kind: 'none' };
const MALFORMED: Authorization = { kind: 'malformed' };
const HEADER = 'authorization';
const MAX_BASIC_LENGTH = 4096;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the one Authorization header of a request. Takes Node's `rawHeaders` (names and values in turn), since the
 * parsed headers hide a second one. Empty Basic credentials (`Og==`) are what clients send for anonymous.
 */
export function readAuthorization(rawHeaders: readonly string[]): Authorization {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === HEADER.length && name.toLowerCase() === HEADER) values.push(rawHeaders[index + 1] ?? '');
  }
  const [value] = values;
  if (value === undefined) return NONE;
  return values.length === 1 ? parseAuthorization(value.trim()) : MALFORMED;
}

function parseAuthorization(value: string): Authorization {
  const space = value.indexOf(' ');
  if (space < 0) return MALFORMED;
  const scheme = value.slice(0, space).toLowerCase();
  const rest = value.slice(space + 1).trimStart();
  if (scheme === 'bearer') return rest === '' || rest.includes(' ') ? MALFORMED : { kind: 'bearer', token: rest };
  return scheme === 'basic' ? parseBasic(rest) : MALFORMED;
}

function parseBasic(encoded: string): Authorization {
  if (encoded.length > MAX_BASIC_LENGTH || !BASE64.test(encoded)) return MALFORMED;
  const credentials = decodeUtf8(Buffer.from(encoded, 'base64'));
  const colon = credentials?.indexOf(':') ?? -1;
  if (credentials === undefined || colon < 0) return MALFORMED;
  if (credentials === ':') return NONE;
  return { kind: 'basic', name: credentials.slice(0, colon), password: credentials.slice(colon + 1) };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
