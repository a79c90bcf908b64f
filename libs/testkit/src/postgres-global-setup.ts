import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { EmbeddedPostgres } from '@entrepot/embedded-postgres';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Unix socket that answers each connection with one line: how to reach the run's Postgres. */
    readonly entrepotPostgresDoor: string;
  }
}

/** What the door says: the URL of a server on which databases may be created, or why there is none. */
export type PostgresDoorAnswer = { readonly url: string } | { readonly error: string };

/**
 * Global setup of vitest: one Postgres server for the whole run, started when the first spec asks for it, so that specs
 * without a database do not wait. `ENTREPOT_TEST_DATABASE_URL` names a server to use instead. Returns the teardown.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-test-'));
  let server: Promise<EmbeddedPostgres> | undefined;

  async function answer(): Promise<PostgresDoorAnswer> {
    const external = process.env['ENTREPOT_TEST_DATABASE_URL'];
    if (external) return { url: external };
    try {
      server ??= startThrowAway(join(directory, 'postgres'));
      return { url: (await server).url };
    } catch (error) {
      return { error: describeFailure(error) };
    }
  }

  const door = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    answer().then((said) => socket.end(JSON.stringify(said)), socket.destroy);
  });
  door.listen(join(directory, 'door'));
  await once(door, 'listening');
  project.provide('entrepotPostgresDoor', join(directory, 'door'));

  return async () => {
    door.close();
    await (await server?.catch(() => undefined))?.stop();
    await rm(directory, { recursive: true, force: true });
  };
}

async function startThrowAway(directory: string): Promise<EmbeddedPostgres> {
  // The server may run as another user than root, and must be able to pass through.
  await chmod(dirname(directory), 0o711);
  const { startEmbeddedPostgres } = await import('@entrepot/embedded-postgres');
  return startEmbeddedPostgres({ directory, isDurable: false, maxConnections: 200 });
}

function describeFailure(error: unknown): string {
  const { message, logTail = [] } = error as Error & { logTail?: string[] };
  return [message, ...logTail].join('\n');
}
