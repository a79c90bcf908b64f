import { randomBytes } from 'node:crypto';
import { attemptEntrepot, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, type Content, type Image } from '@entrepot/testkit/images';
import { openRegistry, type RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let product: Entrepot;
let client: RegistryClient;
const layer = randomBytes(5000);
const image = buildImage({ layers: [layer] });
const imageBytes = image.manifest.bytes.length + image.config.bytes.length + layer.length;

beforeAll(async () => {
  product = await startEntrepot({
    settings: { ENTREPOT_GC_GRACE: '0s', ENTREPOT_GC_UNDO: '0s', ENTREPOT_GC_INTERVAL: '1h' },
  });
  client = openRegistry(product.url, { name: 'admin', password: product.adminPassword });
  await push('admin/one', image);
  await push('admin/two', image);
  // What was sent twice.
  await product.run(['job', 'run', 'review', '--wait']);
});
afterAll(async () => {
  client.close();
  await product.remove();
});

async function expectAnswer(method: string, path: string, status: number, body?: Content): Promise<string> {
  const headers = body && { 'Content-Type': body.mediaType };
  const answer = await client.send({ method, path, ...(body && { body: body.bytes }), ...(headers && { headers }) });
  expect(answer.status).toBe(status);
  return answer.headers.location ?? '';
}

async function push(repository: string, { config, layers, manifest }: Image): Promise<void> {
  for (const blob of [config, ...layers]) {
    const upload = await expectAnswer('POST', `/v2/${repository}/blobs/uploads/`, 202);
    const end = `${upload}${upload.includes('?') ? '&' : '?'}digest=${blob.digest}`;
    await expectAnswer('PUT', end, 201, { ...blob, mediaType: 'application/octet-stream' });
  }
  await expectAnswer('PUT', `/v2/${repository}/manifests/v1`, 201, manifest);
}

const usage = async (...args: string[]) => JSON.parse(await product.run(['usage', '--json', ...args])) as never;

describe('entrepot usage', () => {
  const manifestBytes = image.manifest.bytes.length;
  const one = { manifests: 1, logicalBytes: imageBytes, blobs: 2, deduplicatedBytes: imageBytes };
  const both = {
    manifests: 2,
    logicalBytes: 2 * imageBytes,
    blobs: 2,
    deduplicatedBytes: imageBytes + manifestBytes,
  };

  it.each([[[]], [['--exact']]])('counts what is stored (%j)', async (options: string[]) => {
    expect(await usage('admin/one', ...options)).toEqual({ name: 'admin/one', ...one });
    const repositories = ['admin/one', 'admin/two'].map((name) => ({ name, ...one }));
    expect(await usage('admin', ...options)).toEqual({ name: 'admin', ...both, repositories });
    expect(await usage(...options)).toMatchObject({
      ...both,
      wouldFree: { objects: 0, bytes: 0 },
      namespaces: [{ name: 'admin', ...both }],
    });
  });

  it('is for people to read, too', async () => {
    expect(await product.run(['usage', 'admin'])).toMatch(/^logical +\S+ KiB in 2 manifests\ndeduplicated .*\n\nNAME /);
  });

  it('says what would be freed, and what was', async () => {
    for (const name of ['one', 'two']) {
      await expectAnswer('DELETE', `/v2/admin/${name}/manifests/${image.manifest.digest}`, 202);
    }
    const blobs = { objects: 2, bytes: imageBytes - manifestBytes };
    expect(await usage()).toMatchObject({ manifests: 0, logicalBytes: 0, wouldFree: blobs, freed: blobs });
    await product.run(['job', 'run', 'review', '--wait']);
    const nothing = { manifests: 0, logicalBytes: 0, blobs: 0, deduplicatedBytes: 0 };
    const freed = { objects: 4, bytes: 2 * blobs.bytes };
    expect(await usage()).toMatchObject({ ...nothing, freed, wouldFree: { objects: 0, bytes: 0 } });
    expect(await usage('admin/one')).toEqual({ name: 'admin/one', ...nothing });
  });

  it('refuses names that nothing has', async () => {
    const settings = { ENTREPOT_DATA_DIR: product.dataDirectory };
    expect(await attemptEntrepot(['usage', 'nobody'], settings)).toMatchObject({
      exitCode: 1,
      complaint: expect.stringContaining('there is no namespace nobody') as string,
    });
    expect((await attemptEntrepot(['usage', 'admin/none'], settings)).exitCode).toBe(1);
  });
});
