import { randomBytes } from 'node:crypto';
import { buildImage, contentOf, type Content, type Image } from '@entrepot/testkit/images';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob, type Bench } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const REPOSITORY = 'admin/kept';
const SETTINGS = {
  ENTREPOT_GC_GRACE: '10m',
  ENTREPOT_GC_UNDO: '0s',
  ENTREPOT_GC_UNTAGGED: '1h',
  ENTREPOT_GC_INTERVAL: '1h',
};

/** Time is moved in the tables: what was done is done two hours ago. */
const AGE = `
  UPDATE manifest SET pushed_at = pushed_at - interval '2 hours';
  UPDATE tag_history SET changed_at = changed_at - interval '2 hours';
  UPDATE manifest_review SET due_at = due_at - interval '2 hours';
  UPDATE link_review SET due_at = due_at - interval '2 hours'`;

const newBlob = () => contentOf('application/octet-stream', randomBytes(4000));
const blobsOf = ({ config, layers }: Image) => [config, ...layers];

describe('content that nothing refers to', () => {
  let replicas: Replicas;
  let jobrunner: Entrepot;
  let client: RegistryClient;
  let bench: Bench;

  beforeAll(async () => {
    replicas = await startReplicas({ settings: SETTINGS });
    client = connect(replicas.target(await replicas.start()));
    jobrunner = await replicas.startJobrunner();
    bench = { client, journal: new Journal(), repository: REPOSITORY };
  });
  afterAll(async () => {
    await jobrunner.remove();
    await replicas.remove();
  });

  const review = async (): Promise<Record<string, number>> => {
    const printed = await replicas.run(['job', 'run', 'review', '--wait', '--json']);
    return (JSON.parse(printed) as { result: Record<string, number> }).result;
  };
  const statusOf = async (method: 'GET' | 'HEAD', what: string) =>
    (await client.send({ method, path: `/v2/${REPOSITORY}/${what}` })).status;
  const put = async ({ bytes, mediaType }: Content, reference: string) =>
    (
      await client.send({
        method: 'PUT',
        path: `/v2/${REPOSITORY}/manifests/${reference}`,
        headers: { 'Content-Type': mediaType },
        body: bytes,
      })
    ).status;
  const pushUntagged = async (): Promise<Image> => {
    const image = buildImage({ layers: [randomBytes(4000)] });
    for (const blob of blobsOf(image)) await pushBlob(bench, blob, 'whole');
    expect(await put(image.manifest, image.manifest.digest)).toBe(201);
    return image;
  };

  it('stays for who was told by HEAD that it is there, until the manifest that names it', async () => {
    const image = buildImage({ layers: [randomBytes(4000)] });
    const forgotten = newBlob();
    for (const blob of [...blobsOf(image), forgotten]) await pushBlob(bench, blob, 'whole');
    await replicas.query(AGE);
    for (const { digest } of blobsOf(image)) expect(await statusOf('HEAD', `blobs/${digest}`)).toBe(200);
    expect(await review()).toMatchObject({ linksRemoved: 1, blobsRemoved: 1, objectsRemoved: 1, bytesRemoved: 4000 });
    expect(await statusOf('HEAD', `blobs/${forgotten.digest}`)).toBe(404);
    expect(await put(image.manifest, 'told')).toBe(201);
    await replicas.query(AGE);
    expect(await review()).toMatchObject({ manifestsRemoved: 0, linksRemoved: 0 });
    expect(await statusOf('GET', 'manifests/told')).toBe(200);
  });

  it('stays as long as it is pulled, by its digest or its tag, and goes when nobody did for long', async () => {
    const [pulled, headed, idle] = [await pushUntagged(), await pushUntagged(), await pushUntagged()];
    await replicas.query(AGE);
    expect(await statusOf('GET', `manifests/${pulled.manifest.digest}`)).toBe(200);
    expect(await statusOf('HEAD', `manifests/${headed.manifest.digest}`)).toBe(200);
    const marks = () => replicas.query('SELECT DISTINCT manifest_id FROM manifest_use_mark');
    await until(async () => (await marks()).length >= 2, 'the pulls to be noted');
    expect(await review()).toMatchObject({ manifestsRemoved: 1 });
    for (const { manifest } of [pulled, headed])
      expect(await statusOf('HEAD', `manifests/${manifest.digest}`)).toBe(200);
    expect(await statusOf('HEAD', `manifests/${idle.manifest.digest}`)).toBe(404);
  });

  it('stays where its namespace keeps it, and goes when that ends', async () => {
    const { manifest } = await pushUntagged();
    await replicas.query(AGE);
    await replicas.run(['namespace', 'set-untagged', 'admin', 'keep']);
    expect(await review()).toMatchObject({ manifestsRemoved: 0 });
    const listed = JSON.parse(await replicas.run(['namespace', 'list', '--json'])) as { name: string }[];
    expect(listed.find(({ name }) => name === 'admin')).toMatchObject({ untagged: 'keep' });
    await replicas.run(['namespace', 'set-untagged', 'admin', 'default']);
    expect((await review())['manifestsRemoved']).toBeGreaterThan(0);
    expect(await statusOf('HEAD', `manifests/${manifest.digest}`)).toBe(404);
  });

  it('is counted by a dry run, which changes nothing', async () => {
    const { manifest } = await pushUntagged();
    await replicas.query(AGE);
    const printed = await replicas.run(['job', 'run', 'review', '--dry-run', '--wait', '--json']);
    const { result } = JSON.parse(printed) as { result: Record<string, number> };
    expect(result).toMatchObject({ manifestsNow: 1 });
    expect(result['bytesLater']).toBeGreaterThan(4000);
    expect(await statusOf('GET', `manifests/${manifest.digest}`)).toBe(200);
  });
});
