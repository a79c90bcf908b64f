import type { ArrowTable, RoomArrows } from '../workspace/arrow-table.js';
import { isTestRoom, type Room, type SourceFile, type Workspace } from '../workspace/read-workspace.js';
import { resolveUse, type Target } from '../workspace/resolve-use.js';
import type { Violation } from './violation.js';

/** Reports each import of production code that the table does not list, and each room that the table does not know. */
export function checkArrows(workspace: Workspace, table: ArrowTable): Violation[] {
  const rooms = workspace.rooms.filter((room) => !isTestRoom(room.path));
  return rooms.flatMap((room) => {
    const arrows = table[room.path];
    if (arrows === undefined) {
      return [{ rule: 'unlisted-room', place: room.path, message: 'has no entry in test/architecture/arrows.json' }];
    }
    return room.files.filter((file) => !file.isTest).flatMap((file) => checkFile(workspace, { room, arrows, file }));
  });
}

interface CheckedFile {
  readonly room: Room;
  readonly arrows: RoomArrows;
  readonly file: SourceFile;
}

function checkFile(workspace: Workspace, checked: CheckedFile): Violation[] {
  return checked.file.uses.flatMap(({ specifier, line }) => {
    const broken = breach(checked, resolveUse(workspace, checked.file, specifier));
    if (broken === undefined) return [];
    const [rule, message] = broken;
    return [{ rule, place: `${checked.file.path}:${line}`, message }];
  });
}

/** The rule that an import breaks, and how; undefined where it breaks none. */
function breach({ room, arrows, file }: CheckedFile, target: Target): [rule: string, message: string] | undefined {
  switch (target.kind) {
    case 'computed':
      return ['computed-import', 'imports a module whose name is computed'];
    case 'node':
      return arrows.node ? undefined : ['node', `imports ${target.name}, and may not know Node`];
    case 'file':
      if (!target.path.startsWith(`${room.path}/`)) return ['relative', `reaches ${target.path}, outside its room`];
      return isTestFile(target.path) ? ['test-code', `imports ${target.path}, which is for tests`] : undefined;
    case 'room':
      return breachOfRoom(arrows, target);
    case 'package':
      return breachOfPackage(arrows, file, target.name);
  }
}

function breachOfRoom(arrows: RoomArrows, target: Target & { kind: 'room' }): [string, string] | undefined {
  const { path, door } = target;
  if (isTestRoom(path) || door.endsWith('.suite')) return ['test-code', `imports ${path}${door}, which is for tests`];
  if (!arrows.rooms.includes(path)) return ['arrow', `imports ${path}`];
  // A service has a second door: who only reads its settings does not load it.
  const isOpen = door === '' || (path.startsWith('apps/') && door === '/settings');
  return isOpen ? undefined : ['door', `imports ${path} past its index: ${door}`];
}

function breachOfPackage(arrows: RoomArrows, file: SourceFile, name: string): [string, string] | undefined {
  const places = arrows.packages[name];
  if (places === undefined) return ['package', `imports the package ${name}`];
  if (places === 'everywhere' || places.includes(file.pathInRoom)) return undefined;
  return ['package', `imports the package ${name}, which is for ${places.join(' and ')} only`];
}

function isTestFile(path: string): boolean {
  return /\.(spec|suite)\.[jt]s$/.test(path);
}
