import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dockerOf, startDockerEngine, type DockerEngine } from '../drivers/docker.js';
import { asAccount, findManifest } from '../world/entrepot.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory, makeLayer, writeImage } from '../world/layout.js';
import { failureOf, mustSucceed, runCommand } from '../world/run-command.js';
import { testClient } from './every-client.js';

describe.skipIf(isSkipped('docker', ['docker', 'dockerd'], { needsRoot: true }))('a docker engine', () => {
  const { host, alice } = inject('world');
  let directory: string;
  let engine: DockerEngine;
  beforeAll(async () => {
    directory = await makeDirectory();
    engine = await startDockerEngine(directory);
    mustSucceed(await docker(['login', '--username', alice.name, '--password-stdin', host], alice.password));
  });
  afterAll(async () => {
    await engine.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const docker = (args: readonly string[], input?: string) => engine.run(args, input === undefined ? {} : { input });
  const mustDocker = async (...args: string[]) => mustSucceed(await docker(args));
  const idOf = async (reference: string) => (await mustDocker('inspect', '--format', '{{.Id}}', reference)).stdout;
  const importImage = async (reference: string) => {
    const layer = await makeLayer({ nonce: reference });
    const { directory: layout, images } = await writeImage(directory, [layer]);
    const file = `${layout}/blobs/sha256/${images[0]?.layers[0]?.digest.slice(7)}`;
    await mustDocker('import', file, reference);
  };

  describe('as every client', () => {
    testClient(dockerOf(() => engine));
  });

  it('builds from scratch, pushes, and has the digest that the registry has', async () => {
    const reference = `${host}/alice/built:1`;
    const dockerfile = 'FROM scratch\nLABEL built=here\nCOPY nonce /nonce\n';
    const context = await makeLayer({ Dockerfile: dockerfile, nonce: 'built' });
    mustSucceed(await engine.run(['build', '--tag', reference, '-'], { input: context }));
    await mustDocker('push', reference);
    const held = await findManifest(asAccount(alice), 'alice/built', '1');
    const inspected = await mustDocker('inspect', '--format', '{{index .RepoDigests 0}}', reference);
    expect(inspected.stdout.trim()).toBe(`${host}/alice/built@${held?.digest}`);
  });

  it('mounts what another repository holds instead of sending it', async () => {
    await importImage(`${host}/alice/mount-source:1`);
    await mustDocker('push', `${host}/alice/mount-source:1`);
    await mustDocker('tag', `${host}/alice/mount-source:1`, `${host}/alice/mount-target:1`);
    const pushed = await mustDocker('push', `${host}/alice/mount-target:1`);
    expect(pushed.output).toContain('Mounted from alice/mount-source');
    await mustDocker('rmi', '--force', `${host}/alice/mount-source:1`, `${host}/alice/mount-target:1`);
    await mustDocker('pull', `${host}/alice/mount-target:1`);
  });

  it('joins images of two architectures into a list, and pulls the one that fits', async () => {
    const list = `${host}/alice/manifest-list:all`;
    const parts = ['amd64', 'arm64'].map((architecture) => [architecture, `${list}-${architecture}`] as const);
    for (const [, part] of parts) {
      await importImage(part);
      await mustDocker('push', part);
    }
    await mustDocker('manifest', 'create', '--insecure', list, ...parts.map(([, part]) => part));
    for (const [architecture, part] of parts)
      await mustDocker('manifest', 'annotate', '--arch', architecture, list, part);
    const pushed = await mustDocker('manifest', 'push', '--insecure', list);
    const held = await findManifest(asAccount(alice), 'alice/manifest-list', 'all');
    expect(pushed.stdout).toContain(held?.digest);
    for (const [architecture, part] of parts) {
      await mustDocker('pull', '--platform', `linux/${architecture}`, list);
      expect(await idOf(list)).toBe(await idOf(part));
    }
  });

  it('pushes a manifest list to another repository, mounting what it names', async () => {
    const source = `${host}/alice/list-source:1`;
    await importImage(source);
    await mustDocker('push', source);
    const list = `${host}/alice/list-target:all`;
    await mustDocker('manifest', 'create', '--insecure', list, source);
    await mustDocker('manifest', 'push', '--insecure', list);
    expect(await findManifest(asAccount(alice), 'alice/list-target', 'all')).toBeDefined();
  });

  it('pulls all tags of a repository', async () => {
    const tags = ['a', 'b', 'c', 'd'].map((tag) => `${host}/alice/all-tags:${tag}`);
    for (const tag of tags) await importImage(tag);
    await mustDocker('push', '--all-tags', `${host}/alice/all-tags`);
    await mustDocker('rmi', '--force', ...tags);
    await mustDocker('pull', '--all-tags', `${host}/alice/all-tags`);
    const listed = await mustDocker('images', '--format', '{{.Repository}}:{{.Tag}}', `${host}/alice/all-tags`);
    expect(listed.stdout.trim().split('\n').toSorted()).toEqual(tags);
  });

  it.skipIf(isSkipped('what docker login leaves for others', ['skopeo']))(
    'leaves a login that other programs can use',
    async () => {
      const authFile = join(directory, 'home', 'config.json');
      const inspect = ['inspect', '--tls-verify=false', '--authfile', authFile, `docker://${host}/alice/built:1`];
      expect(failureOf(await runCommand(['skopeo', ...inspect]))).toBeUndefined();
    },
  );

  it('is logged out by `docker logout`', async () => {
    await mustDocker('logout', host);
    expect((await docker(['pull', `${host}/alice/built:1`])).code).not.toBe(0);
  });
});
