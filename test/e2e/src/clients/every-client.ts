import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Client, ClientKind } from '../drivers/client.js';
import { asAccount, entrepot, findManifest } from '../world/entrepot.js';
import { makeDirectory, makeLayer, writeImage } from '../world/layout.js';
import { failureOf } from '../world/run-command.js';

const CONCURRENT_PUSHES = 4;
const SHARED_BYTES = 4 * 1024 * 1024;

/** What every client has to be able to do, said once: tests for the `describe` that calls this. */
export function testClient(kind: ClientKind): void {
  const { host, alice, bob } = inject('world');
  const name = (repository: string) => `${host}/${repository}`;
  let directory: string;
  let anonymous: Client;
  let asAlice: Client;
  let asBob: Client;

  beforeAll(async () => {
    directory = await makeDirectory();
    const create = async (home: string) => {
      await mkdir(join(directory, home));
      const client = await kind.create(join(directory, home));
      await client.logout(host);
      return client;
    };
    [anonymous, asAlice, asBob] = [await create('anonymous'), await create('alice'), await create('bob')];
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const image = async (...layers: Buffer[]) =>
    writeImage(directory, [await makeLayer({ 'etc/nonce': randomBytes(16) }), ...layers]);
  const push = async (client: Client, repository: string, ...layers: Buffer[]) =>
    failureOf(await client.push(await image(...layers), name(repository)));
  const pull = async (client: Client, repository: string) => failureOf(await client.pull(name(repository)));

  it('is told that a password is wrong, and let in with the right one', async () => {
    const refused = await asAlice.login(host, { ...alice, password: 'not-hers-at-all' });
    expect(refused.code).not.toBe(0);
    expect(refused.output).toMatch(/unauthorized|authentication required|401|invalid username\/password/i);
    expect(failureOf(await asAlice.login(host, alice))).toBeUndefined();
    expect(failureOf(await asBob.login(host, bob))).toBeUndefined();
  });

  it('pushes and pulls, by tag and by digest', async () => {
    const repository = `alice/${kind.name}`;
    expect(await push(asAlice, `${repository}:1`)).toBeUndefined();
    expect(await pull(asAlice, `${repository}:1`)).toBeUndefined();
    const held = await findManifest(asAccount(alice), repository, '1');
    expect(await pull(asAlice, `${repository}@${held?.digest}`)).toBeUndefined();
  });

  it('is refused a push where it may not create', async () => {
    expect(await push(asBob, `alice/${kind.name}-by-bob:1`)).toBeDefined();
    expect(await push(anonymous, `alice/${kind.name}-by-nobody:1`)).toBeDefined();
    expect(await findManifest(asAccount(alice), `alice/${kind.name}-by-bob`, '1')).toBeUndefined();
  });

  it('cannot tell a private repository from one that does not exist', async () => {
    const [secret, missing] = [`alice/${kind.name}-secret`, `alice/${kind.name}-absent`];
    expect(await push(asAlice, `${secret}:1`)).toBeUndefined();
    for (const client of [anonymous, asBob]) {
      const toSecret = await client.pull(name(`${secret}:1`));
      const toMissing = await client.pull(name(`${missing}:1`));
      expect(toSecret.output).toMatch(/unauthorized|denied|authentication required|not found|40[14]/i);
      expect(toSecret.code).not.toBe(0);
      expect(toSecret.code).toBe(toMissing.code);
      expect(said(toSecret.output, secret)).toEqual(said(toMissing.output, missing));
    }
  });

  it('pulls a public repository without an account, and cannot push to it', async () => {
    const repository = `alice/${kind.name}-public`;
    expect(await push(asAlice, `${repository}:1`)).toBeUndefined();
    await entrepot('repo', 'set-visibility', repository, 'public');
    expect(await pull(anonymous, `${repository}:1`)).toBeUndefined();
    expect(await pull(asBob, `${repository}:1`)).toBeUndefined();
    expect(await push(asBob, `${repository}:2`)).toBeDefined();
  });

  it('pushes images that share a layer at the same time', async () => {
    const shared = await makeLayer({ 'usr/share/data': Buffer.alloc(SHARED_BYTES, kind.name) });
    const targets = Array.from({ length: CONCURRENT_PUSHES }, (_, at) => `alice/${kind.name}-shared-${at % 2}:${at}`);
    const failures = await Promise.all(targets.map((target) => push(asAlice, target, shared)));
    for (const target of targets) failures.push(await pull(asAlice, target));
    expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
  });
}

/** What a client said, without what differs by the repository's name, the moment or a made-up path. */
function said(output: string, repository: string): string[] {
  return output
    .replaceAll(repository, 'REPOSITORY')
    .replaceAll(/pulled-\w+/g, 'PULLED')
    .replaceAll(/\d{4}[-/]\d\d[-/]\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?|\d{2}:\d{2}:\d{2}(?:\.\d+)?/g, 'TIME')
    .split('\n')
    .toSorted();
}
