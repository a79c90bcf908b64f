import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dockerOf, startDockerEngine, type DockerEngine } from '../drivers/docker.js';
import { skopeo } from '../drivers/skopeo.js';
import type { Client } from '../drivers/client.js';
import { asAccount, entrepot, findManifest } from '../world/entrepot.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory, makeLayer, writeImage } from '../world/layout.js';
import { mustSucceed } from '../world/run-command.js';

const { host, alice, dataDirectory } = inject('world');

/** The file that holds a blob, by the record beside it. */
async function fileOf(digest: string): Promise<string> {
  const root = join(dataDirectory, 'storage', 'objects');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries.filter((entry) => entry.name.endsWith('.json'))) {
    const record = join(parentPath, name);
    if ((await readFile(record, 'utf8')).includes(digest)) return record.slice(0, -'.json'.length);
  }
  throw new Error(`no object of ${digest}`);
}

/** As a disk might: other bytes, or none at all. */
const DAMAGES = {
  'a flipped byte, found by a scrub': async (file: string) => {
    const bytes = await readFile(file);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await entrepot('job', 'run', 'scrub', '--wait');
  },
  'a file that is gone, found by a pull': async (file: string) => rm(file),
} as const;

async function statusOf(repository: string, digest: string): Promise<number> {
  return (await asAccount(alice).send({ method: 'GET', path: `/v2/alice/${repository}/blobs/${digest}` })).status;
}

/**
 * Pushes an image into two repositories, damages its layer, and pushes it into the second one again. Resolves with what the
 * layer is answered with before and after; what a client fails at is thrown.
 */
async function heal(client: Client, directory: string, damage: (file: string) => Promise<void>) {
  const nonce = randomBytes(4).toString('hex');
  const [first, second] = [`healed-${nonce}-first`, `healed-${nonce}-second`];
  const layout = await writeImage(directory, [await makeLayer({ nonce: randomBytes(4_000) })]);
  mustSucceed(await client.login(host, alice));
  for (const name of [first, second]) mustSucceed(await client.push(layout, `${host}/alice/${name}:1`));
  const held = await findManifest(asAccount(alice), `alice/${second}`, '1');
  const manifest = JSON.parse(String(held?.bytes)) as { layers: { digest: string }[] };
  const digest = manifest.layers[0]?.digest ?? '';
  await damage(await fileOf(digest));
  await statusOf(first, digest);
  const before = [await statusOf(first, digest), await statusOf(second, digest)];
  mustSucceed(await client.push(layout, `${host}/alice/${second}:1`));
  for (const name of [first, second]) mustSucceed(await client.pull(`${host}/alice/${name}:1`));
  return { before, after: [await statusOf(first, digest), await statusOf(second, digest)] };
}

const HEALED = { before: [404, 404], after: [200, 200] };

describe.skipIf(isSkipped('skopeo', ['skopeo']))('an image that lost a layer, and skopeo', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(Object.entries(DAMAGES))('is whole everywhere after one push: %s', async (_name, damage) => {
    expect(await heal(await skopeo.create(directory), directory, damage)).toEqual(HEALED);
  });
});

describe.skipIf(isSkipped('docker', ['docker', 'dockerd'], { needsRoot: true }))(
  'an image that lost a layer, and docker',
  () => {
    let directory: string;
    let engine: DockerEngine;
    beforeAll(async () => {
      directory = await makeDirectory();
      engine = await startDockerEngine(directory);
    });
    afterAll(async () => {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    });

    it.each(Object.entries(DAMAGES))('is whole everywhere after one push: %s', async (_name, damage) => {
      expect(await heal(await dockerOf(() => engine).create(directory), directory, damage)).toEqual(HEALED);
    });
  },
);
