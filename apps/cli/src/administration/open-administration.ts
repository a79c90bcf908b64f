import { userInfo } from 'node:os';
import { AnnouncedChanges, PasswordHasher, type AccessDirectory, type PasswordAdministration } from '@entrepot/access';
import { PostgresAccessDirectory, PostgresAccessUnitOfWork, withDataSource } from '@entrepot/metadata';
import type { DatabaseSettings } from '@entrepot/metadata';

/** What the administration commands work with. */
export interface OpenAdministration extends PasswordAdministration {
  readonly directory: AccessDirectory;
}

/** The login that owns the tables, for one command's worth of work. */
export function ownerSettings(url: string): DatabaseSettings {
  return { url, role: 'owner', poolSize: 2, statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 };
}

/**
 * Runs `work` on the database of `url`, in the name of the operating system's user: whoever has the URL may. `onChange` is
 * told of each change after its commit.
 */
export function withAdministration<T>(
  url: string,
  work: (administration: OpenAdministration) => Promise<T>,
  onChange: () => void = () => {},
): Promise<T> {
  return withDataSource(ownerSettings(url), (source) =>
    work({
      store: new AnnouncedChanges(new PostgresAccessUnitOfWork(source), onChange),
      directory: new PostgresAccessDirectory(source),
      actor: operatorActor(),
      passwords: new PasswordHasher({ concurrency: 1, maxWaiting: 1, nowMs: Date.now }),
    }),
  );
}

/** Who runs the command, as rows that remember name somebody without an account. */
export function operatorActor(): { readonly id: undefined; readonly name: string } {
  return { id: undefined, name: `cli:${operatorName()}` };
}

/** Who runs the command; a container may run as a user that has no name. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
