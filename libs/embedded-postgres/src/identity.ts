import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PostgresError } from './postgres-error.js';

/** As whom Postgres runs, and how it is run: Postgres refuses to be root. */
export interface PostgresIdentity {
  /** Owner of its files, as this process sees it. */
  readonly uid: number;
  readonly gid: number;
  /** Given to `spawn`: the user that the child becomes. */
  readonly spawnAs: { readonly uid?: number; readonly gid?: number };
  /** Program and arguments that stand before those of Postgres and replace themselves with it. */
  readonly prefix: readonly string[];
}

/** Asks the kernel to shut Postgres down in good order when this process is killed. */
const FOLLOW_PARENT = ['setpriv', '--pdeathsig', 'INT', '--'];

/**
 * Picks the first way that works here, by trying it: `directory` becomes the property of the user picked.
 *
 * An ordinary user runs Postgres as itself. Root runs it as `postgres` or `nobody`; where that user cannot reach the
 * files (a checkout below /root), in a user namespace that keeps root's access; where those are forbidden (many
 * containers), as that user with the one capability to pass by file permissions.
 */
export function chooseIdentity(postgres: string, directory: string): PostgresIdentity {
  for (const candidate of candidates()) {
    for (const follow of [FOLLOW_PARENT, []]) {
      const identity = { ...candidate, prefix: [...candidate.prefix, ...follow] };
      if (!canRun(identity, postgres, directory)) continue;
      own(directory, identity);
      return identity;
    }
  }
  const who = process.getuid?.() === 0 ? 'root, nor as any user that root may become' : `user ${process.getuid?.()}`;
  throw new PostgresError(
    `Postgres cannot be run as ${who}: start as an ordinary user that can read ${postgres} and write ${directory}`,
  );
}

function candidates(): PostgresIdentity[] {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  if (uid !== 0) return [{ uid, gid, spawnAs: {}, prefix: [] }];
  const user = unprivilegedUser();
  // The secure bit lets the capability count for access(2) too, with which Postgres looks for its own files.
  const passPermissions = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  return [
    { ...user, spawnAs: user, prefix: [] },
    { uid, gid, spawnAs: {}, prefix: ['unshare', '--user', '--map-user=1', '--map-group=1', '--'] },
    {
      ...user,
      spawnAs: {},
      prefix: ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...passPermissions, '--'],
    },
  ];
}

function unprivilegedUser(): { uid: number; gid: number } {
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = ['postgres', 'nobody'].map((name) => entries.find((fields) => fields[0] === name)).find(Boolean);
  return { uid: Number(entry?.[2] ?? 65534), gid: Number(entry?.[3] ?? 65534) };
}

function canRun(identity: PostgresIdentity, postgres: string, directory: string): boolean {
  const script = 'cd -- "$1" && test -x "$0"';
  const [program = '', ...args] = [...identity.prefix, 'sh', '-c', script, postgres, dirname(directory)];
  return spawnSync(program, args, { ...identity.spawnAs, stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** Gives a tree to the identity; the top comes last, so that an interrupted change is taken up again. */
function own(directory: string, { uid, gid }: PostgresIdentity): void {
  const top = lstatSync(directory);
  if (top.uid === uid && top.gid === gid) return;
  if (process.getuid?.() !== 0) return;
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(directory, path), uid, gid);
  }
  chownSync(directory, uid, gid);
}
