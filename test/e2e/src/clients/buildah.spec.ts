import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { containersToolIn } from '../drivers/containers.js';
import { asAccount, findManifest } from '../world/entrepot.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory } from '../world/layout.js';
import { mustSucceed, type CommandResult } from '../world/run-command.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';

describe.skipIf(isSkipped('buildah', ['buildah']))('buildah', () => {
  const { host, alice } = inject('world');
  const registry = asAccount(alice);
  let directory: string;
  let buildah: (...args: string[]) => Promise<CommandResult>;
  beforeAll(async () => {
    directory = await makeDirectory();
    const run = await containersToolIn('buildah', directory);
    buildah = async (...args) => mustSucceed(await run(args));
    mustSucceed(await run(['login', '--tls-verify=false', '-u', alice.name, '--password-stdin', host], alice.password));
  });
  afterAll(async () => {
    registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  const build = async (architecture: string): Promise<string> => {
    const file = join(directory, architecture);
    await writeFile(file, architecture);
    const container = (await buildah('from', '--arch', architecture, 'scratch')).stdout.trim();
    await buildah('add', container, file, '/architecture');
    await buildah('config', '--arch', architecture, container);
    return (await buildah('commit', '--quiet', '--rm', container, `localhost/${architecture}`)).stdout.trim();
  };

  it('builds images from scratch and pushes them as one index', async () => {
    await buildah('manifest', 'create', 'all');
    for (const architecture of ['amd64', 'arm64']) await buildah('manifest', 'add', 'all', await build(architecture));
    await buildah('manifest', 'push', '--all', '--tls-verify=false', 'all', `docker://${host}/alice/built-index:1`);
    const held = await findManifest(registry, 'alice/built-index', '1');
    const index = JSON.parse(String(held?.bytes)) as { mediaType?: string; manifests: { digest: string }[] };
    expect([INDEX, undefined]).toContain(index.mediaType);
    expect(index.manifests).toHaveLength(2);
    for (const { digest } of index.manifests) {
      expect(await findManifest(registry, 'alice/built-index', digest)).toBeDefined();
    }
    await buildah('rmi', '--all', '--force');
    await buildah('pull', '--tls-verify=false', '--arch', 'arm64', `${host}/alice/built-index:1`);
    const inspected = await buildah('inspect', '--type', 'image', `${host}/alice/built-index:1`);
    expect(inspected.stdout).toMatch(/"architecture": "arm64"/);
  });
});
