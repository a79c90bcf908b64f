import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSpec, isTestRoom, readJson } from '../workspace/read-workspace.js';
import type { PackageManifest, Room, SourceFile, Workspace } from '../workspace/read-workspace.js';
import { resolveUse } from '../workspace/resolve-use.js';
import type { Violation } from './violation.js';

/** One version and nothing else, perhaps of a package under another name: `npm:typescript@7.0.2`. */
const EXACT = /^(npm:(@[^@/]+\/)?[^@/]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Reports package.json and tsconfig.json files that say something else than the imports beside them. */
export function checkManifests(workspace: Workspace): Violation[] {
  return [
    ...checkVersions(workspace),
    ...workspace.rooms.flatMap((room) => [
      ...checkDependencies(workspace, room),
      ...checkDevDependencies(workspace, room),
      ...checkReferences(workspace, room),
    ]),
  ];
}

/** The packages, rooms among them, that these files import. */
function importedPackages(workspace: Workspace, room: Room, files: readonly SourceFile[]): Set<string> {
  const names = files.flatMap((file) =>
    file.uses.flatMap(({ specifier }) => {
      const target = resolveUse(workspace, file, specifier);
      if (target.kind === 'package') return [target.name];
      const entered = workspace.rooms.find(({ path }) => target.kind === 'room' && path === target.path);
      return entered === undefined || entered === room ? [] : [entered.manifest.name];
    }),
  );
  return new Set(names);
}

/**
 * `dependencies` are what production imports, and the peers that those ask for: no more and no less. A room below test/
 * may also name rooms that it starts as programs.
 */
function checkDependencies(workspace: Workspace, room: Room): Violation[] {
  const declared = Object.keys(room.manifest.dependencies ?? {});
  const everyFile = isTestRoom(room.path);
  const used = importedPackages(workspace, room, everyFile ? room.files : room.files.filter((file) => !file.isTest));
  const peers = new Set(declared.flatMap((name) => peersOf(workspace, room, name)));
  const elsewhere = everyFile ? [...topNames(workspace), ...devNames(room)] : [];
  const missing = [...used].filter((name) => !declared.includes(name) && !elsewhere.includes(name));
  const started = room.path.startsWith('test/') ? workspace.rooms.map(({ manifest }) => manifest.name) : [];
  const idle = declared.filter((name) => !used.has(name) && !peers.has(name) && !started.includes(name));
  return [
    ...missing.map((name) => dependency(room, `imports ${name} without declaring it`)),
    ...idle.map((name) => dependency(room, `declares ${name}, which nothing imports`)),
  ];
}

/** Specs and suites find what they import in their room or at the top; a room's own development packages are in use. */
function checkDevDependencies(workspace: Workspace, room: Room): Violation[] {
  const specs = room.files.filter((file) => file.isTest);
  const used = importedPackages(workspace, room, specs);
  const rooms = workspace.rooms.map(({ manifest }) => manifest.name);
  const found = new Set([
    ...rooms,
    ...Object.keys(room.manifest.dependencies ?? {}),
    ...devNames(room),
    ...topNames(workspace),
  ]);
  const missing = isTestRoom(room.path) ? [] : [...used].filter((name) => !found.has(name));
  const idle = devNames(room).filter((name) => !used.has(name));
  return [
    ...missing.map((name) => dependency(room, `imports ${name} in a test without declaring it`)),
    ...idle.map((name) => dependency(room, `declares ${name} for development, and no test imports it`)),
  ];
}

/** Versions are exact, and a package has the same one wherever it is declared. */
function checkVersions({ manifest, rooms }: Workspace): Violation[] {
  const declared = [
    { place: 'package.json', manifest },
    ...rooms.map((room) => ({ place: manifestOf(room), ...room })),
  ];
  const seen = new Map(rooms.map((room): [string, string | undefined] => [room.manifest.name, room.manifest.version]));
  return declared.flatMap(({ place, manifest: { dependencies, devDependencies, optionalDependencies } }) =>
    Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).flatMap(([name, version]) => {
      if (!EXACT.test(version)) return [{ rule: 'version', place, message: `${name} ${version} is not exact` }];
      const other = seen.get(name) ?? version;
      seen.set(name, other);
      return other === version
        ? []
        : [{ rule: 'version', place, message: `${name} is ${version} here, ${other} before` }];
    }),
  );
}

/** `references` are the rooms that what is built imports; the tsconfig.json at the top refers to every room that has one. */
function checkReferences(workspace: Workspace, room: Room): Violation[] {
  const { path, references } = room;
  if (references === undefined) return [];
  const isBuilt = workspace.references.includes(path);
  const unbuilt = isBuilt
    ? []
    : [{ rule: 'reference', place: 'tsconfig.json', message: `lacks a reference to ${path}` }];
  // Rooms below test/ build only what is run outside of vitest, which their own tsconfig.json picks.
  if (path.startsWith('test/')) return unbuilt;
  const used = importedPackages(
    workspace,
    room,
    room.files.filter((file) => !isSpec(file)),
  );
  const wanted = workspace.rooms.filter(({ manifest }) => used.has(manifest.name)).map((other) => other.path);
  const place = `${path}/tsconfig.json`;
  const missing = wanted.filter((other) => !references.includes(other));
  const idle = references.filter((other) => !wanted.includes(other));
  return [
    ...unbuilt,
    ...missing.map((other) => ({ rule: 'reference', place, message: `lacks a reference to ${other}` })),
    ...idle.map((other) => ({ rule: 'reference', place, message: `refers to ${other}, which nothing imports` })),
  ];
}

/** Names of the peers that an installed package asks for. */
function peersOf({ top }: Workspace, room: Room, name: string): string[] {
  const path = [join(top, room.path), top]
    .map((place) => join(place, 'node_modules', name, 'package.json'))
    .find(existsSync);
  return path === undefined ? [] : Object.keys(readJson<PackageManifest>(path).peerDependencies ?? {});
}

function topNames({ manifest }: Workspace): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
}

function devNames(room: Room): string[] {
  return Object.keys(room.manifest.devDependencies ?? {});
}

function manifestOf(room: Room): string {
  return `${room.path}/package.json`;
}

function dependency(room: Room, message: string): Violation {
  return { rule: 'dependency', place: manifestOf(room), message };
}
