import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { S3_SERVERS, startS3Server, type S3Place, type S3Server, type S3ServerKind } from './s3-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Directory of a Unix socket per kind of server, which answers each connection with one line: how to reach it. */
    readonly entrepotS3Doors: string;
  }
}

/** What a door says: where the server is, or why there is none. */
export type S3DoorAnswer = { readonly place: S3Place } | { readonly error: string };

/**
 * Global setup of vitest: one server of each kind for the whole run, started when the first spec asks for it, so that
 * specs without one do not wait. Returns the teardown.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-s3-'));
  const closeAll: (() => Promise<void>)[] = [];
  for (const kind of S3_SERVERS) closeAll.push(await openDoor(join(directory, kind), kind));
  project.provide('entrepotS3Doors', directory);
  return async () => {
    for (const close of closeAll) await close();
    await rm(directory, { recursive: true, force: true });
  };
}

async function openDoor(path: string, kind: S3ServerKind): Promise<() => Promise<void>> {
  let server: Promise<S3Server> | undefined;

  async function answer(): Promise<S3DoorAnswer> {
    try {
      server ??= startS3Server(kind);
      const { endpoint, region, accessKey, secretKey, pathStyle } = await server;
      return { place: { endpoint, region, accessKey, secretKey, pathStyle } };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  const door = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    answer().then((said) => socket.end(JSON.stringify(said)), socket.destroy);
  });
  door.listen(path);
  await once(door, 'listening');
  return async () => {
    door.close();
    await (await server?.catch(() => undefined))?.stop();
  };
}
