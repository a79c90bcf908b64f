import type { ObjectKey } from '@entrepot/content';

const END = '-file';

/** Form of such keys behind what a store begins its own with, in the regular expressions that JavaScript and Postgres share. */
export const STRAY_FORM = `stray-([0-9a-f]{2})+${END}`;

const STRAY = new RegExp(`^(.*)${STRAY_FORM}$`);

/** Names what lies among the objects and is none, by its path. In the order of paths; no such key is the beginning of another. */
export function strayKey(begin: string, path: string): ObjectKey {
  return `${begin}stray-${Buffer.from(path).toString('hex')}${END}` as ObjectKey;
}

export function isStrayKey(key: ObjectKey): boolean {
  return STRAY.test(key);
}

/** The path that a key of `strayKey` was made of. */
export function pathOfStray(begin: string, key: ObjectKey): string {
  const path = Buffer.from(key.slice(`${begin}stray-`.length, -END.length), 'hex').toString();
  if (strayKey(begin, path) !== key) throw new TypeError('not the key of a stray');
  return path;
}
