/** A parsed JSON value. Objects inherit nothing: the keys `__proto__` and `constructor` are keys like any other. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** A text that is not acceptable JSON; `position` is the offset in the decoded text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly position: number;

  constructor(reason: string, position: number) {
    super(`${reason} at position ${position}`);
    this.position = position;
  }
}

export interface JsonLimits {
  readonly maxDepth: number;
  /** Values of all kinds, so that a few bytes each cannot become hundreds of megabytes of objects. */
  readonly maxValues: number;
}

export const DEFAULT_JSON_LIMITS: JsonLimits = { maxDepth: 32, maxValues: 250_000 };

interface Cursor {
  readonly text: string;
  readonly limits: JsonLimits;
  at: number;
  values: number;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

/** Makes objects that inherit nothing. `Object.create(null)` would too, but as hash tables: slow, and far larger. */
const Bare = function () {} as unknown as new () => Record<string, Json>;
Bare.prototype = Object.freeze(Object.create(null));

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses RFC 8259 JSON so that no other strict parser can read the same bytes differently: on top of what JSON.parse
 * refuses it refuses malformed UTF-8, a byte order mark, repeated keys, lone surrogates, numbers beyond a double, and
 * what is over the limits. Takes time linear in the input.
 * @throws JsonError
 */
export function parseJson(bytes: Uint8Array, limits: Partial<JsonLimits> = {}): Json {
  const cursor: Cursor = { text: decode(bytes), limits: { ...DEFAULT_JSON_LIMITS, ...limits }, at: 0, values: 0 };
  skipSpace(cursor);
  const value = readValue(cursor, 0);
  skipSpace(cursor);
  if (cursor.at < cursor.text.length) throw unexpected(cursor);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new JsonError('malformed UTF-8', 0);
  }
}

function readValue(cursor: Cursor, depth: number): Json {
  if (++cursor.values > cursor.limits.maxValues) {
    throw new JsonError(`more than ${cursor.limits.maxValues} values`, cursor.at);
  }
  switch (cursor.text[cursor.at]) {
    case '{':
      return readObject(cursor, depth + 1);
    case '[':
      return readArray(cursor, depth + 1);
    case '"':
      return readString(cursor);
    case 't':
      return readWord(cursor, 'true', true);
    case 'f':
      return readWord(cursor, 'false', false);
    case 'n':
      return readWord(cursor, 'null', null);
    default:
      return readNumber(cursor);
  }
}

function readObject(cursor: Cursor, depth: number): JsonObject {
  checkDepth(cursor, depth);
  const object = new Bare();
  if (openIsEmpty(cursor, '}')) return object;
  do {
    skipSpace(cursor);
    const keyAt = cursor.at;
    if (cursor.text.charCodeAt(keyAt) !== QUOTE) throw unexpected(cursor);
    const key = readString(cursor);
    if (key in object) throw new JsonError('repeated key', keyAt);
    skipSpace(cursor);
    if (cursor.text[cursor.at] !== ':') throw unexpected(cursor);
    cursor.at++;
    skipSpace(cursor);
    object[key] = readValue(cursor, depth);
  } while (continues(cursor, '}'));
  return object;
}

function readArray(cursor: Cursor, depth: number): Json[] {
  checkDepth(cursor, depth);
  const array: Json[] = [];
  if (openIsEmpty(cursor, ']')) return array;
  do {
    skipSpace(cursor);
    array.push(readValue(cursor, depth));
  } while (continues(cursor, ']'));
  return array;
}

function checkDepth(cursor: Cursor, depth: number): void {
  const { maxDepth } = cursor.limits;
  if (depth > maxDepth) throw new JsonError(`nesting deeper than ${maxDepth}`, cursor.at);
}

/** Steps over the opening bracket, and over the closing one if nothing lies between. */
function openIsEmpty(cursor: Cursor, close: string): boolean {
  cursor.at++;
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== close) return false;
  cursor.at++;
  return true;
}

/** Steps over the comma or the closing bracket after an element; true for the comma. */
function continues(cursor: Cursor, close: string): boolean {
  skipSpace(cursor);
  const mark = cursor.text[cursor.at];
  if (mark !== ',' && mark !== close) throw unexpected(cursor);
  cursor.at++;
  return mark === ',';
}

function readString(cursor: Cursor): string {
  const { text } = cursor;
  const opening = cursor.at;
  let value = '';
  let start = opening + 1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      cursor.at = at + 1;
      value += text.slice(start, at);
      // Decoding left no lone surrogate in the text itself, but an escape can write one.
      if (!value.isWellFormed()) throw new JsonError('lone surrogate in a string', opening);
      return value;
    }
    if (code < 0x20) throw new JsonError('control character in a string', at);
    if (code === BACKSLASH) {
      value += text.slice(start, at) + readEscape(text, at);
      at += text[at + 1] === 'u' ? 5 : 1;
      start = at + 1;
    }
  }
  throw new JsonError('unterminated string', opening);
}

/** The character that the escape at the backslash `at` stands for. */
function readEscape(text: string, at: number): string {
  const mark = text.charAt(at + 1);
  if (mark === 'u') {
    HEX4.lastIndex = at + 2;
    const digits = HEX4.exec(text);
    if (digits !== null) return String.fromCharCode(Number.parseInt(digits[0], 16));
  } else {
    const character = Object.hasOwn(ESCAPES, mark) ? ESCAPES[mark] : undefined;
    if (character !== undefined) return character;
  }
  throw new JsonError('malformed escape in a string', at);
}

function readNumber(cursor: Cursor): number {
  NUMBER.lastIndex = cursor.at;
  const digits = NUMBER.exec(cursor.text);
  if (digits === null) throw unexpected(cursor);
  const value = Number(digits[0]);
  if (!Number.isFinite(value)) throw new JsonError('number out of range', cursor.at);
  cursor.at = NUMBER.lastIndex;
  return value;
}

function readWord<T>(cursor: Cursor, word: string, value: T): T {
  if (!cursor.text.startsWith(word, cursor.at)) throw unexpected(cursor);
  cursor.at += word.length;
  return value;
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at++;
  }
}

function unexpected(cursor: Cursor): JsonError {
  const reason = cursor.at < cursor.text.length ? 'unexpected character' : 'unexpected end';
  return new JsonError(reason, cursor.at);
}
