import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Pool } from 'pg';
import { Violation } from '../model/violation.js';

/** Records beside the objects, by the beginning of their names below the root. */
const RECOVERY = 'recovery';

/** The store holds the object of each blob and the record beside it, and nothing else (INV-5, INV-6). */
export async function checkObjects(database: Pool, storageRoot: string): Promise<string> {
  const { rows } = await database.query<{ object_key: string }>('SELECT object_key FROM blob');
  const keys = new Set(rows.map(({ object_key: key }) => basename(key)));
  const entries = await readdir(storageRoot, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !join(entry.parentPath, entry.name).startsWith(join(storageRoot, RECOVERY)))
    .map(({ name }) => name);
  const names = new Set(files);
  const lost = [...keys].filter((key) => !names.has(key));
  const left = files.filter((name) => !keys.has(name.replace(/\.json$/, '')));
  if (lost.length > 0)
    throw new Violation('INV-5', `${lost.length} blobs have no object: ${lost.slice(0, 5).join(', ')}`);
  if (left.length > 0)
    throw new Violation('INV-6', `${left.length} files are left over: ${left.slice(0, 5).join(', ')}`);
  return `${keys.size} objects, and no other`;
}
