import { readFileSync } from 'node:fs';

/** What the production code of one room may import; beside this, only its own files by relative paths. */
export interface RoomArrows {
  /** Whether Node's own modules are allowed. */
  readonly node: boolean;
  /** Other rooms, such as `libs/oci`. */
  readonly rooms: readonly string[];
  /** Packages from outside: everywhere in the room, or in the files named, such as `src/config.ts`. */
  readonly packages: Readonly<Record<string, 'everywhere' | readonly string[]>>;
}

/** Room, such as `libs/oci`, to its arrows. The same file is what `.dependency-cruiser.cjs` makes its rules of. */
export type ArrowTable = Readonly<Record<string, RoomArrows>>;

/** The table of this workspace: the arrows of ARCHITECTURE.md, room by room. */
export function readArrowTable(): ArrowTable {
  return JSON.parse(readFileSync(new URL('../../arrows.json', import.meta.url), 'utf8')) as ArrowTable;
}
