import { randomBytes } from 'node:crypto';
import { buildImage, buildIndex, contentOf, descriptorOf, type Content, type Image } from '@entrepot/testkit/images';
import { Journal } from '../world/journal.js';
import { pushBlob, pushImage, type Bench } from '../world/push.js';
import { until } from '../world/process-state.js';
import { EAGER, type Replicas } from '../world/replicas.js';

/** Settings under which nothing is kept but what is referenced. */
export const NO_GRACE = {
  ENTREPOT_GC_GRACE: '0s',
  ENTREPOT_GC_UNDO: '0s',
  ENTREPOT_GC_UNTAGGED: '0s',
  ENTREPOT_GC_ORPHANS: '0s',
};
/** A jobrunner that reviews all the time, and does nothing else that removes objects. */
export const REVIEWER = { ...EAGER, ENTREPOT_UPLOADS_PURGE_INTERVAL: '1h' };
/** Another schedule begins anew: who stops in its first review is ready before it. */
export const LATE_REVIEWER = { ...REVIEWER, ENTREPOT_GC_INTERVAL: '3s' };

const LAYER_BYTES = 5000;
const ARTIFACT = 'application/vnd.oci.image.manifest.v1+json';

const newLayer = () => randomBytes(LAYER_BYTES);

/**
 * Leaves garbage of every kind beside content that shares blobs with it: a deleted manifest, one that lost its tag, an index
 * that lost it and its child, a signature whose subject is deleted, a blob that nobody named, and a deleted repository. What
 * has to stay is in the journal of the bench.
 */
export async function makeGarbage(bench: Bench, replicas: Pick<Replicas, 'run'>): Promise<void> {
  const name = randomBytes(4).toString('hex');
  const shared = newLayer();
  const aside: Bench = { ...bench, journal: new Journal() };
  const imageOf = () => buildImage({ layers: [shared, newLayer()] });
  const push = (image: Image, tag: string, where = aside) => pushImage(where, { image, tag, way: 'whole' });
  await push(imageOf(), `kept-${name}`, bench);

  const deleted = imageOf();
  await push(deleted, `deleted-${name}`);
  await putSignature(aside, deleted.manifest);
  await remove(bench, `manifests/${deleted.manifest.digest}`);

  await push(imageOf(), `moved-${name}`);
  await push(imageOf(), `moved-${name}`, bench);

  const child = imageOf();
  await push(child, `child-${name}`);
  await put(bench, `index-${name}`, buildIndex([{ image: child, architecture: 'amd64' }]));
  await remove(bench, `manifests/child-${name}`);
  await remove(bench, `manifests/index-${name}`);

  await pushBlob(aside, contentOf('application/octet-stream', newLayer()), 'whole');

  const gone = `admin/gone-${name}`;
  await push(imageOf(), 'latest', { ...aside, repository: gone });
  await replicas.run(['repo', 'delete', gone]);
}

async function putSignature(bench: Bench, subject: Content): Promise<void> {
  const config = contentOf('application/vnd.oci.empty.v1+json', newLayer());
  await pushBlob(bench, config, 'whole');
  const document = {
    schemaVersion: 2,
    mediaType: ARTIFACT,
    artifactType: 'application/vnd.example.signature',
    config: descriptorOf(config),
    layers: [],
    subject: descriptorOf(subject),
  };
  const signature = contentOf(ARTIFACT, Buffer.from(JSON.stringify(document)));
  await put(bench, signature.digest, signature);
}

async function put({ client, repository }: Bench, reference: string, { mediaType, bytes }: Content): Promise<void> {
  const path = `/v2/${repository}/manifests/${reference}`;
  const { status } = await client.send({ method: 'PUT', path, headers: { 'Content-Type': mediaType }, body: bytes });
  if (status !== 201) throw new Error(`PUT ${path}: ${status}`);
}

async function remove({ client, repository }: Bench, what: string): Promise<void> {
  const { status } = await client.send({ method: 'DELETE', path: `/v2/${repository}/${what}` });
  if (status !== 202) throw new Error(`DELETE ${what}: ${status}`);
}

/** Everything that a collector without patience has still to do. */
const OWED = `
  SELECT FROM manifest_review WHERE isfinite(due_at)
  UNION ALL SELECT FROM link_review
  UNION ALL SELECT FROM blob_review
  UNION ALL SELECT FROM doomed_object
  UNION ALL SELECT FROM manifest WHERE deleted_at IS NOT NULL
  UNION ALL SELECT FROM repository WHERE deleted_at IS NOT NULL`;

/** Lets a jobrunner collect until nothing is left to do. */
export async function collectEverything(replicas: Replicas): Promise<void> {
  // What a dead one had claimed would come back in a minute.
  await replicas.query('UPDATE doomed_object SET due_at = now()');
  const jobrunner = await replicas.startJobrunner(REVIEWER);
  await until(async () => (await replicas.query(OWED)).length === 0, 'garbage to be collected');
  await jobrunner.remove();
}
