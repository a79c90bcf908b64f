import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedObject, ObjectKey } from '@entrepot/content';
import { isOwnPlace, locateObject, uploadOf } from './object-path.js';
import { orNothing } from './store-fault.js';
import { listStray, locateStray, straysIn, uploadOfAny } from './stray-files.js';

const DIRECTORY_PATTERN = /^[0-9a-f]{2}$/;

/**
 * Walks the store in the order of keys, behind `after`; holds the names of one directory at a time. What goes away
 * meanwhile is left out. Strays have keys behind those of all objects, and so a walk of their own, which reads names only.
 */
export async function* listObjects(root: string, after?: ObjectKey): AsyncGenerator<ListedObject> {
  const stray = after === undefined ? undefined : locateStray(after);
  const isBehind = ({ key }: ListedObject): boolean => after === undefined || key > after;
  if (stray === undefined) {
    const from = after === undefined ? undefined : locateObject(after).directory;
    for await (const directory of directoriesOf(root, from)) {
      for await (const object of objectsIn(root, directory, () => true)) if (isBehind(object)) yield object;
    }
  }
  for await (const directory of directoriesOf(root, stray?.directory)) {
    for await (const found of straysIn(root, directory)) if (isBehind(found)) yield found;
  }
}

/** What lies under the names of one upload. */
export async function* listUpload(root: string, upload: ObjectKey): AsyncGenerator<ListedObject> {
  const stray = locateStray(upload);
  if (stray !== undefined) {
    const found = await listStray(root, stray);
    if (found) yield found;
    return;
  }
  const { directory } = locateObject(upload);
  yield* objectsIn(root, directory, (key) => uploadOf(key) === upload);
  for await (const found of straysIn(root, directory)) if (uploadOfAny(found.key) === upload) yield found;
}

async function* objectsIn(
  root: string,
  directory: string,
  isWanted: (key: ObjectKey) => boolean,
): AsyncGenerator<ListedObject> {
  const names = await namesIn(join(root, directory));
  const all = new Set(names);
  for (const name of names.toSorted()) {
    if (!isOwnPlace(directory, name) || !isWanted(name)) continue;
    const found = await orNothing(stat(join(root, directory, name)));
    if (found === undefined) continue;
    yield { key: name, sizeBytes: found.size, modifiedAt: found.mtime, hasRecord: all.has(`${name}.json`) };
  }
}

/** Directories of objects, relative to the root, in the order of keys. */
async function* directoriesOf(root: string, from = ''): AsyncGenerator<string> {
  for (const outer of pairs(await readdir(join(root, 'objects')))) {
    const above = `objects/${outer}`;
    if (above < from.slice(0, above.length)) continue;
    for (const inner of pairs(await namesIn(join(root, above)))) {
      const directory = `${above}/${inner}`;
      if (directory >= from) yield directory;
    }
  }
}

function pairs(names: readonly string[]): string[] {
  return names.filter((name) => DIRECTORY_PATTERN.test(name)).toSorted();
}

async function namesIn(directory: string): Promise<string[]> {
  return (await orNothing(readdir(directory))) ?? [];
}
