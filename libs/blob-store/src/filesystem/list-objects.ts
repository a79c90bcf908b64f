import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectKey } from '@entrepot/content';
import { isObjectKey } from './object-path.js';
import { systemCode } from './store-fault.js';

export interface ListedObject {
  readonly key: ObjectKey;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

const DIRECTORY_PATTERN = /^[0-9a-f]{2}$/;

/** Walks the store; holds one directory entry at a time. What goes away meanwhile is left out. */
export async function* listObjects(root: string): AsyncGenerator<ListedObject> {
  for await (const outer of namesIn(join(root, 'objects'), DIRECTORY_PATTERN)) {
    for await (const inner of namesIn(join(root, 'objects', outer), DIRECTORY_PATTERN)) {
      yield* objectsIn(join(root, 'objects', outer, inner));
    }
  }
}

async function* objectsIn(directory: string): AsyncGenerator<ListedObject> {
  for await (const name of namesIn(directory, /./)) {
    const found = isObjectKey(name) ? await statOrNothing(join(directory, name)) : undefined;
    if (found !== undefined) yield { key: name as ObjectKey, sizeBytes: found.size, modifiedAt: found.mtime };
  }
}

async function* namesIn(directory: string, pattern: RegExp): AsyncGenerator<string> {
  for await (const entry of await opendir(directory)) {
    if (pattern.test(entry.name)) yield entry.name;
  }
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
