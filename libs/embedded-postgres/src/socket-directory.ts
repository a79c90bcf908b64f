import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresIdentity } from './identity.js';
import { SOCKET_PORT } from './settings.js';

const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`;

/** `sockaddr_un` holds 107 bytes and a terminator; the name of the socket follows the directory. */
const LONGEST_DIRECTORY_BYTES = 107 - `/${SOCKET_NAME}`.length;

/**
 * Makes the private directory of the server's socket and returns its path: `<directory>/socket`, or where that path is
 * too long for a socket, a short one among the temporary files.
 */
export function makeSocketDirectory(directory: string, identity: PostgresIdentity): string {
  const inside = join(directory, 'socket');
  if (Buffer.byteLength(inside) <= LONGEST_DIRECTORY_BYTES) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    chownSync(inside, identity.uid, identity.gid);
    return inside;
  }
  const name = `entrepot-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`;
  for (const parent of temporaryDirectories()) {
    if (Buffer.byteLength(join(parent, name)) > LONGEST_DIRECTORY_BYTES) continue;
    const made = makePrivate(join(parent, name), identity);
    if (made !== undefined) return made;
  }
  return makeUnpredictable(identity);
}

/**
 * Removes what a killed server left in its socket directory. Postgres would take a lock whose process id lives on as
 * another program, or as a zombie in a container that reaps none, for a running server.
 */
export function clearSocketDirectory(socketDirectory: string): void {
  for (const name of [SOCKET_NAME, `${SOCKET_NAME}.lock`]) rmSync(join(socketDirectory, name), { force: true });
}

function temporaryDirectories(): string[] {
  const ofUser = process.getuid?.() === 0 ? undefined : process.env['XDG_RUNTIME_DIR'];
  return [ofUser, tmpdir()].filter((path) => path !== undefined);
}

/** Returns undefined where somebody else holds the name, which anybody may do below /tmp. */
function makePrivate(path: string, { uid, gid }: PostgresIdentity): string | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return undefined;
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0 ? path : undefined;
}

function makeUnpredictable({ uid, gid }: PostgresIdentity): string {
  const path = mkdtempSync('/tmp/entrepot-');
  chownSync(path, uid, gid);
  return path;
}
