import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { readSource, type SourceFacts } from './read-source.js';

/** The parts of a package.json that the rules look at. */
export interface PackageManifest {
  readonly name: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface SourceFile extends SourceFacts {
  /** From the top of the workspace: `libs/oci/src/digest.ts`. */
  readonly path: string;
  /** Within the room: `src/digest.ts`. */
  readonly pathInRoom: string;
  /** A spec, a suite, or any file of `test/*` and of the testkit: it may import anything, and production may not import it. */
  readonly isTest: boolean;
}

/** One package of the workspace: `apps/*`, `libs/*` or `test/*`. */
export interface Room {
  /** From the top of the workspace: `libs/oci`. */
  readonly path: string;
  readonly manifest: PackageManifest;
  /** Rooms that its tsconfig.json refers to; undefined where it has none. */
  readonly references: readonly string[] | undefined;
  /** Every TypeScript file below it. */
  readonly files: readonly SourceFile[];
}

export interface Workspace {
  readonly top: string;
  readonly manifest: PackageManifest;
  readonly rooms: readonly Room[];
  /** Rooms that the tsconfig.json at the top refers to. */
  readonly references: readonly string[];
}

const SHELVES = ['apps', 'libs', 'test'];
const SKIPPED = new Set(['node_modules', 'dist', 'fixtures']);

/** Reads every room below `top`: its package.json, its tsconfig.json, and the syntax of its TypeScript. */
export function readWorkspace(top: string): Workspace {
  const paths = SHELVES.flatMap((shelf) => listDirectories(join(top, shelf)).map((name) => `${shelf}/${name}`));
  const rooms = paths.filter((path) => existsSync(join(top, path, 'package.json'))).map((path) => readRoom(top, path));
  return { top, manifest: readJson(join(top, 'package.json')), rooms, references: readReferences(top, '.') ?? [] };
}

/** `libs/testkit` and `test/*`: rooms that production never enters. */
export function isTestRoom(path: string): boolean {
  return path === 'libs/testkit' || path.startsWith('test/');
}

/** A spec or a suite: run by vitest alone, and left out of what is built. */
export function isSpec({ pathInRoom }: Pick<SourceFile, 'pathInRoom'>): boolean {
  return /\.(spec|suite)\.ts$/.test(pathInRoom);
}

export function readJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(path, 'utf8')) as Shape;
}

function readRoom(top: string, path: string): Room {
  const files = listFiles(join(top, path)).filter((file) => file.endsWith('.ts'));
  return {
    path,
    manifest: readJson(join(top, path, 'package.json')),
    references: readReferences(top, path),
    files: files.map((pathInRoom) => readFile(top, path, pathInRoom)),
  };
}

function readFile(top: string, room: string, pathInRoom: string): SourceFile {
  const path = `${room}/${pathInRoom}`;
  const isTest = isTestRoom(room) || isSpec({ pathInRoom });
  return { path, pathInRoom, isTest, ...readSource(basename(path), readFileSync(join(top, path), 'utf8')) };
}

function readReferences(top: string, directory: string): string[] | undefined {
  const path = join(top, directory, 'tsconfig.json');
  if (!existsSync(path)) return undefined;
  const { references = [] } = readJson<{ references?: readonly { path: string }[] }>(path);
  return references.map((reference) => posix.join(directory, reference.path));
}

function listDirectories(path: string): string[] {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function listFiles(directory: string, prefix = ''): string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(prefix, entry.name);
    if (!entry.isDirectory()) return [path];
    return SKIPPED.has(entry.name) ? [] : listFiles(directory, path);
  });
}
