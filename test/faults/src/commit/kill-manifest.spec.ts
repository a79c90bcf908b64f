import { randomBytes } from 'node:crypto';
import { MANIFEST_POINTS } from '@entrepot/content';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { untilDead } from '../world/process-state.js';
import { pushImage } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const REPOSITORY = 'admin/manifests';
const LAYER_BYTES = 10_000;

/** Everything that a push of a manifest writes. */
const TABLES = [
  'manifest',
  'manifest_blob',
  'tag',
  'tag_history',
  'usage_delta',
  'audit_event',
  'outbox_event',
  'manifest_review',
];

describe('FT-09: a replica that dies while it commits a manifest', () => {
  let replicas: Replicas;
  let left: Entrepot;
  let client: RegistryClient;

  beforeAll(async () => {
    replicas = await startReplicas();
    left = await replicas.start();
    client = connect(replicas.target(left));
    const bench = { client, journal: new Journal(), repository: REPOSITORY };
    await pushImage(bench, { image: buildImage({ layers: [randomBytes(LAYER_BYTES)] }), tag: 'first', way: 'whole' });
  });
  afterAll(async () => {
    client.close();
    await replicas.remove();
  });

  async function rowCounts(): Promise<Record<string, number>> {
    const counts = TABLES.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
    const [row] = await replicas.query<Record<string, number>>(`SELECT ${counts.join(', ')}`);
    return row ?? {};
  }

  it.each(MANIFEST_POINTS)('at %s', async (point) => {
    const image = buildImage({ layers: [randomBytes(LAYER_BYTES)] });
    const tag = point.replaceAll(/\W/g, '-');
    const journal = new Journal();
    const bench = { client, journal, repository: REPOSITORY };
    const victim = await replicas.start({ ENTREPOT_TEST_FAIL_POINT: `${point}=kill` });
    const before = await rowCounts();
    const doomed = connect(replicas.target(victim));
    await expect(pushImage({ ...bench, client: doomed }, { image, tag, way: 'whole' })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    doomed.close();
    await untilDead(victim);
    await victim.remove();

    const isCommitted = point === 'work.run:after';
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
    const manifest = `/v2/${REPOSITORY}/manifests/`;
    for (const reference of [tag, image.manifest.digest]) {
      const answer = await client.send({ method: 'GET', path: `${manifest}${reference}` });
      expect(answer.status).toBe(isCommitted ? 200 : 404);
    }
    const after = await rowCounts();
    expect(isCommitted ? before : after).toEqual(before);

    await pushImage(bench, { image, tag, way: 'whole' });
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
    const [{ tags = 0, manifests = 0 } = {}] = await replicas.query<{ tags: number; manifests: number }>(
      `SELECT (SELECT count(*) FROM tag WHERE name = $1)::int AS tags,
              (SELECT count(*) FROM manifest WHERE encode(substring(digest from 2), 'hex') = $2)::int AS manifests`,
      [tag, image.manifest.digest.slice('sha256:'.length)],
    );
    expect({ tags, manifests }).toEqual({ tags: 1, manifests: 1 });
  });
});
