import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, buildIndex, type Content, type Image } from '@entrepot/testkit/images';
import { openRegistry, type RegistryClient } from '@entrepot/testkit/registry-client';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

/** What the product gives back of what was deleted, as clients pull it and operators ask for it. */
describe('undo', () => {
  let product: Entrepot;
  let client: RegistryClient;
  let repository: string;
  let images: readonly [Image, Image];
  let index: Content;

  beforeAll(async () => {
    product = await startEntrepot({ settings: { ENTREPOT_GC_GRACE: '0s', ENTREPOT_GC_UNTAGGED: '0s' } });
  });
  afterAll(() => product.remove());

  beforeEach(async () => {
    client?.close();
    client = openRegistry(product.url, { name: 'admin', password: product.adminPassword });
    repository = `admin/app-${randomBytes(4).toString('hex')}`;
    images = [buildImage({ layers: [randomBytes(2000)] }), buildImage({ layers: [randomBytes(3000)] })];
    index = buildIndex([
      { image: images[0], architecture: 'amd64' },
      { image: images[1], architecture: 'arm64' },
    ]);
    for (const image of images) await push(image);
    await put('v1', index);
  });
  afterAll(() => client.close());

  async function push({ layers, config, manifest }: Image, reference: string = manifest.digest): Promise<void> {
    for (const { digest, bytes } of [...layers, config]) {
      const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
      const headers = { 'Content-Type': 'application/octet-stream' };
      expect(await client.send({ method: 'POST', path, headers, body: bytes })).toMatchObject({ status: 201 });
    }
    await put(reference, manifest);
  }

  async function put(reference: string, { mediaType, bytes }: Content): Promise<void> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const answer = await client.send({ method: 'PUT', path, headers: { 'Content-Type': mediaType }, body: bytes });
    expect(answer.status).toBe(201);
  }

  /** A client that begins anew: what it was let into before may be another one now. */
  function reopen(): void {
    client.close();
    client = openRegistry(product.url, { name: 'admin', password: product.adminPassword });
  }

  async function statusOf(path: string, method = 'GET', name = repository): Promise<number> {
    const { mediaType } = index;
    const headers = { Accept: `${mediaType}, application/vnd.oci.image.manifest.v1+json` };
    return (await client.send({ method, path: `/v2/${name}/${path}`, headers })).status;
  }

  /** Everything that a pull of the tag fetches, with the status of each. */
  async function pull(name = repository): Promise<number[]> {
    const paths = ['manifests/v1', `manifests/${index.digest}`];
    for (const { manifest, config, layers } of images) {
      paths.push(`manifests/${manifest.digest}`, ...[config, ...layers].map(({ digest }) => `blobs/${digest}`));
    }
    return Promise.all(paths.map((path) => statusOf(path, 'GET', name)));
  }

  const ALL = Array.from({ length: 8 }, () => 200);
  const review = async () => {
    const output = await product.run(['job', 'run', 'review', '--wait', '--json']);
    return JSON.parse(output) as { status: string };
  };
  const run = (...args: string[]) => product.run(args);

  it('gives a tag back, its index and all that it lists', async () => {
    expect(await pull()).toEqual(ALL);
    expect(await statusOf('manifests/v1', 'DELETE')).toBe(202);
    expect(await statusOf(`manifests/${index.digest}`, 'DELETE')).toBe(202);
    for (const { manifest } of images) expect(await statusOf(`manifests/${manifest.digest}`, 'DELETE')).toBe(202);
    expect(await statusOf('manifests/v1')).toBe(404);
    expect(await review()).toMatchObject({ status: 'done' });
    await run('tag', 'restore', `${repository}:v1`);
    expect(await pull()).toEqual(ALL);
    const history = JSON.parse(await run('tag', 'history', `${repository}:v1`, '--json')) as { changedBy: string }[];
    expect(history).toMatchObject([
      { digest: index.digest, previousDigest: null },
      { digest: null, previousDigest: index.digest, changedBy: 'admin' },
      { digest: index.digest, previousDigest: null, changedBy: 'admin' },
    ]);
    expect(history[0]?.changedBy).toMatch(/^cli:/);
  });

  it('gives a manifest back by its digest, without its tag', async () => {
    const [image] = images;
    const lone = buildImage({ layers: image.layers.map(({ bytes }) => bytes) });
    await push(lone, 'lone');
    await run('manifest', 'delete', `${repository}@${lone.manifest.digest}`);
    expect(await statusOf(`manifests/${lone.manifest.digest}`)).toBe(404);
    await run('manifest', 'restore', `${repository}@${lone.manifest.digest}`);
    expect(await statusOf(`manifests/${lone.manifest.digest}`)).toBe(200);
    expect(await statusOf('manifests/lone')).toBe(404);
    const refused = await product.attempt(['manifest', 'delete', '--purge', `${repository}@${image.manifest.digest}`]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.complaint).toContain(index.digest);
  });

  it('gives a repository back, under its name or another', async () => {
    reopen();
    expect(await pull()).toEqual(ALL);
    await run('repo', 'delete', repository);
    // A token that was made for it is of the past.
    expect(await statusOf('manifests/v1')).toBe(401);
    await review();
    const listed = await run('repo', 'list', '--deleted', '--json');
    expect(JSON.parse(listed)).toMatchObject([{ name: repository, visibility: 'private' }]);
    await run('repo', 'create', repository);
    expect(await product.attempt(['repo', 'restore', repository])).toMatchObject({ exitCode: 1 });
    const other = `${repository}-again`;
    await run('repo', 'restore', repository, '--as', other);
    reopen();
    expect(await pull(other)).toEqual(ALL);
    await run('repo', 'delete', other);
    await run('repo', 'restore', other);
    reopen();
    expect(await pull(other)).toEqual(ALL);
    expect(await statusOf('manifests/v1')).toBe(404);
  });

  it('gives nothing back of what was purged', async () => {
    const lone = buildImage({ layers: [randomBytes(500)] });
    await push(lone, 'lone');
    await run('tag', 'delete', '--purge', `${repository}:lone`);
    await review();
    expect(await statusOf(`blobs/${lone.layers[0]?.digest}`)).toBe(404);
    expect(await product.attempt(['tag', 'restore', `${repository}:lone`])).toMatchObject({ exitCode: 1 });
    await run('repo', 'delete', '--purge', repository);
    expect(await product.attempt(['repo', 'restore', repository])).toMatchObject({ exitCode: 1 });
    expect(await run('repo', 'list', '--deleted')).not.toContain(`${repository} `);
  });
});
