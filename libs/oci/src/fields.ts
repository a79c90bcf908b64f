/** Typed reading of the members of a manifest; `path` says where in the document, for the message. */

import { RegistryError } from './errors.js';
import type { Json, JsonObject } from './json.js';

/** The longest media type of RFC 6838: two names of 127 characters and a slash. */
export const MAX_MEDIA_TYPE_LENGTH = 255;

/** The size of what one map of annotations may hold. */
export interface AnnotationLimits {
  readonly maxAnnotations: number;
  readonly maxAnnotationLength: number;
}

type WithoutUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves undefined members out, so that what is absent in the document is absent in the result. */
export function present<T extends object>(members: T): WithoutUndefined<T> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) kept[name] = value;
  }
  return kept as WithoutUndefined<T>;
}

export function manifestInvalid(message: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', { message: `manifest invalid: ${message}` });
}

export function asObject(value: Json | undefined, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw manifestInvalid(`${path} must be an object`);
  }
  return value as JsonObject;
}

/** `null` is an absent member: Go clients write it for empty maps, lists and pointers. */
export function member(object: JsonObject, name: string): Json | undefined {
  return object[name] ?? undefined;
}

export function optionalString(object: JsonObject, name: string, path: string): string | undefined {
  const value = member(object, name);
  if (value !== undefined && typeof value !== 'string') throw manifestInvalid(`${path} must be a string`);
  return value;
}

/** A media type as clients write it: not empty, bounded, without control characters; an empty one counts as absent. */
export function optionalMediaType(object: JsonObject, name: string, path: string): string | undefined {
  const value = optionalString(object, name, path);
  if (value === undefined || value === '') return undefined;
  if (value.length > MAX_MEDIA_TYPE_LENGTH || hasControlCharacter(value)) {
    throw manifestInvalid(`${path} must be a media type of at most ${MAX_MEDIA_TYPE_LENGTH} characters`);
  }
  return value;
}

export function optionalStrings(object: JsonObject, name: string, path: string): readonly string[] | undefined {
  const value = member(object, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw manifestInvalid(`${path} must be a list of strings`);
  }
  return value;
}

/** A map of strings. An annotation may say anything: it is data, and is shown as text. */
export function optionalAnnotations(
  object: JsonObject,
  path: string,
  limits: AnnotationLimits,
): Readonly<Record<string, string>> | undefined {
  const value = member(object, 'annotations');
  if (value === undefined) return undefined;
  const annotations = asObject(value, path);
  const entries = Object.entries(annotations);
  if (entries.length > limits.maxAnnotations) {
    throw manifestInvalid(`${path} has more than ${limits.maxAnnotations} entries`);
  }
  for (const [key, text] of entries) {
    if (typeof text !== 'string') throw manifestInvalid(`${path} must be a map of strings`);
    if (key.length + text.length > limits.maxAnnotationLength) {
      throw manifestInvalid(`${path} has an entry longer than ${limits.maxAnnotationLength} characters`);
    }
  }
  return annotations as Readonly<Record<string, string>>;
}

/**
 * Refuses members that differ from a known one in case only. A Go client reads `Layers` as `layers`, so two readers
 * would see two documents. The folding is Go's: U+017F is an `s` and U+212A a `k`.
 */
export function refuseCaseVariants(object: JsonObject, known: ReadonlyMap<string, string>, path: string): void {
  for (const key of Object.keys(object)) {
    const name = known.get(foldCase(key));
    if (name !== undefined && name !== key) throw manifestInvalid(`${path} has a member that is ${name} in other case`);
  }
}

/** Known member names by their folded form, for refuseCaseVariants. */
export function memberNames(...names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [foldCase(name), name]));
}

function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
