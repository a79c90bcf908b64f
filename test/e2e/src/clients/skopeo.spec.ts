import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { skopeoIn } from '../drivers/skopeo.js';
import { asAccount, findManifest } from '../world/entrepot.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory, makeLayer, writeImage, writeIndex } from '../world/layout.js';
import { mustSucceed } from '../world/run-command.js';

const TAG_COUNT = 200;
const CONCURRENCY = 4;
const PLAIN = ['--src-tls-verify=false', '--dest-tls-verify=false'];

describe.skipIf(isSkipped('skopeo', ['skopeo']))('skopeo', () => {
  const { host, alice } = inject('world');
  const registry = asAccount(alice);
  let directory: string;
  let run: ReturnType<typeof skopeoIn>;
  beforeAll(async () => {
    directory = await makeDirectory();
    run = skopeoIn(directory);
    await mustSkopeo(['login', '--tls-verify=false', '-u', alice.name, '--password-stdin', host], alice.password);
  });
  afterAll(async () => {
    registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  const mustSkopeo = async (args: readonly string[], input?: string) => mustSucceed(await run(args, input));
  const remote = (reference: string) => `docker://${host}/alice/${reference}`;
  const copy = (...args: string[]) => mustSkopeo(['copy', ...PLAIN, ...args]);

  it('copies an index with all its images, unchanged, and from one repository to another', async () => {
    const { directory: layout, top, images } = await writeIndex(directory, ['amd64', 'arm64', 's390x']);
    await copy('--all', '--preserve-digests', `oci:${layout}:latest`, remote('index:1'));
    expect((await findManifest(registry, 'alice/index', '1'))?.bytes).toEqual(top.bytes);

    await copy('--all', '--preserve-digests', remote('index:1'), remote('index-copy:2'));
    expect((await findManifest(registry, 'alice/index-copy', '2'))?.digest).toBe(top.digest);
    for (const { manifest } of images) {
      expect((await findManifest(registry, 'alice/index-copy', manifest.digest))?.bytes).toEqual(manifest.bytes);
    }
    const inspected = await mustSkopeo([
      '--override-arch=s390x',
      'inspect',
      '--tls-verify=false',
      '--format={{.Architecture}}',
      remote('index:1'),
    ]);
    expect(inspected.stdout.trim()).toBe('s390x');
  });

  it('deletes', async () => {
    const { directory: layout, top } = await writeImage(directory, [await makeLayer({ deleted: 'soon' })]);
    await copy('--preserve-digests', `oci:${layout}:latest`, remote('deleted:1'));
    await copy('--preserve-digests', `oci:${layout}:latest`, remote('deleted:also'));
    await mustSkopeo(['delete', '--tls-verify=false', remote('deleted:1')]);
    for (const reference of ['1', 'also', top.digest]) {
      expect(await findManifest(registry, 'alice/deleted', reference)).toBeUndefined();
    }
    expect((await run(['inspect', '--tls-verify=false', remote('deleted:1')])).code).not.toBe(0);
  });

  it(`pushes ${TAG_COUNT} tags and lists them`, async () => {
    const { directory: layout } = await writeImage(directory, [await makeLayer({ tagged: 'often' })]);
    const tags = Array.from({ length: TAG_COUNT }, (_, index) => `v1.${index}`);
    const waiting = [...tags];
    const push = async () => {
      for (let tag = waiting.pop(); tag !== undefined; tag = waiting.pop()) {
        await copy('--preserve-digests', `oci:${layout}:latest`, remote(`many-tags:${tag}`));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, push));
    const listed = await mustSkopeo(['list-tags', '--tls-verify=false', remote('many-tags')]);
    expect((JSON.parse(listed.stdout) as { Tags: string[] }).Tags).toEqual(tags.toSorted());
  });
});
