import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedObject, ObjectKey } from '@entrepot/content';
import { isObjectKey, locateObject, uploadOf } from './object-path.js';
import { orNothing } from './store-fault.js';

const DIRECTORY_PATTERN = /^[0-9a-f]{2}$/;

/**
 * Walks the store in the order of keys, behind `after`; holds the names of one directory at a time. What goes away
 * meanwhile is left out.
 */
export async function* listObjects(root: string, after?: ObjectKey): AsyncGenerator<ListedObject> {
  const top = join(root, 'objects');
  const from = [after?.slice(0, 2) ?? '', after?.slice(2, 4) ?? ''] as const;
  for (const outer of directoriesOf(await readdir(top), from[0])) {
    for (const inner of directoriesOf(await namesIn(join(top, outer)), outer === from[0] ? from[1] : '')) {
      for await (const object of objectsIn(join(top, outer, inner), () => true)) {
        if (after === undefined || object.key > after) yield object;
      }
    }
  }
}

/** What lies under the names of one upload. */
export function listUpload(root: string, upload: ObjectKey): AsyncGenerator<ListedObject> {
  const { directory } = locateObject(upload);
  return objectsIn(join(root, directory), (key) => uploadOf(key) === upload);
}

async function* objectsIn(directory: string, isWanted: (key: ObjectKey) => boolean): AsyncGenerator<ListedObject> {
  const names = await namesIn(directory);
  const all = new Set(names);
  for (const name of names.toSorted()) {
    if (!isObjectKey(name) || !isWanted(name)) continue;
    const found = await orNothing(stat(join(directory, name)));
    if (found === undefined) continue;
    yield { key: name, sizeBytes: found.size, modifiedAt: found.mtime, hasRecord: all.has(`${name}.json`) };
  }
}

function directoriesOf(names: readonly string[], from: string): string[] {
  return names.filter((name) => DIRECTORY_PATTERN.test(name) && name >= from).toSorted();
}

async function namesIn(directory: string): Promise<string[]> {
  return (await orNothing(readdir(directory))) ?? [];
}
