import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { SourceFile, Workspace } from './read-workspace.js';

/** What an import leads to. */
export type Target =
  | { readonly kind: 'computed' }
  /** One of Node's own modules. */
  | { readonly kind: 'node'; readonly name: string }
  /** A file named by a relative path, from the top of the workspace. */
  | { readonly kind: 'file'; readonly path: string }
  /** Another room, or the same one by its package name; `door` is what follows the name: '' or `/postgres`. */
  | { readonly kind: 'room'; readonly path: string; readonly door: string }
  | { readonly kind: 'package'; readonly name: string };

/** Says what a specifier in `file` leads to, by its spelling alone: nothing needs to be built or installed. */
export function resolveUse(workspace: Workspace, file: SourceFile, specifier: string | undefined): Target {
  if (specifier === undefined) return { kind: 'computed' };
  if (isBuiltin(specifier)) return { kind: 'node', name: specifier };
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(posix.dirname(file.path), specifier) };
  const name = packageName(specifier);
  const room = workspace.rooms.find(({ manifest }) => manifest.name === name);
  if (room === undefined) return { kind: 'package', name };
  return { kind: 'room', path: room.path, door: specifier.slice(name.length) };
}

/** `@scope/name/deep` → `@scope/name`; `name/deep` → `name`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
