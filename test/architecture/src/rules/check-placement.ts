import type { Room, SourceFile, Workspace } from '../workspace/read-workspace.js';
import type { Violation } from './violation.js';

const MAX_LINES = 400;
/** Specs, suites. */
const MAX_TEST_LINES = 600;
/** Words that say nothing: at the end of a name, and the last two at its beginning as well. */
const EMPTY_WORDS = ['Service', 'Manager', 'Helper', 'Util', 'Utils', 'Impl', 'Info', 'Dto', 'Common', 'Base'];
const EMPTY_PREFIXES = ['Common', 'Base'];

/** Reports files that lie too deep, are named wrong or grew too long, and rooms without exactly one index. */
export function checkPlacement(workspace: Workspace): Violation[] {
  return workspace.rooms.flatMap((room) => [
    ...checkIndex(room),
    ...room.files.flatMap((file) =>
      [checkDepth(file), checkFileName(file), checkLength(file), ...checkClassNames(file)].flatMap(
        (violation) => violation ?? [],
      ),
    ),
  ]);
}

function checkIndex(room: Room): Violation[] {
  const indexes = room.files.filter(({ pathInRoom }) => /(^|\/)index\.ts$/.test(pathInRoom));
  const strays = indexes
    .filter(({ pathInRoom }) => pathInRoom !== 'src/index.ts')
    .map((file) => ({ rule: 'index', place: file.path, message: 'is a second index: a room has one, src/index.ts' }));
  const stars = indexes
    .filter(({ hasStarExport }) => hasStarExport)
    .map((file) => ({ rule: 'index', place: file.path, message: 'exports *: an index lists names' }));
  const isClosed = room.path.startsWith('libs/') && indexes.length === strays.length;
  const missing = isClosed ? [{ rule: 'index', place: room.path, message: 'has no src/index.ts' }] : [];
  return [...missing, ...strays, ...stars];
}

function checkDepth({ path, pathInRoom }: SourceFile): Violation | undefined {
  const [first, ...rest] = pathInRoom.split('/');
  const isPlaced = rest.length === 0 ? pathInRoom.endsWith('.config.ts') : first === 'src' && rest.length <= 2;
  if (isPlaced) return undefined;
  return { rule: 'depth', place: path, message: 'is not at src/<file>.ts or src/<area>/<file>.ts' };
}

function checkFileName({ path }: SourceFile): Violation | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/.test(name)) {
    return { rule: 'file-name', place: path, message: 'is not kebab-case' };
  }
  const words = name.slice(0, name.indexOf('.')).split('-').map(capitalise);
  const empty = findEmptyWord(words);
  return empty ? { rule: 'file-name', place: path, message: `is named after nothing: ${empty}` } : undefined;
}

function checkClassNames({ path, exportedClasses }: SourceFile): Violation[] {
  return exportedClasses.flatMap((name) => {
    const empty = findEmptyWord(name.match(/[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])/g) ?? []);
    return empty ? [{ rule: 'class-name', place: path, message: `${name} is named after nothing: ${empty}` }] : [];
  });
}

function checkLength({ path, isTest, lineCount }: SourceFile): Violation | undefined {
  const maximum = isTest ? MAX_TEST_LINES : MAX_LINES;
  if (lineCount <= maximum) return undefined;
  return { rule: 'length', place: path, message: `has ${lineCount} lines; ${maximum} are allowed` };
}

function findEmptyWord(words: readonly string[]): string | undefined {
  const [first = ''] = words;
  const last = words.at(-1) ?? '';
  return EMPTY_WORDS.find((word) => word === last) ?? EMPTY_PREFIXES.find((word) => word === first);
}

function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
