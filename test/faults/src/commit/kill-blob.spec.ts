import { randomBytes } from 'node:crypto';
import { BLOB_POINTS } from '@entrepot/content';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf, type Content } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { untilDead } from '../world/process-state.js';
import { pushBlob, withDigest } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

/** More than a part of S3, and no multiple of one. */
const BLOB_BYTES = 11 * 2 ** 20 + 12_345;
const REPOSITORY = 'admin/killed';

/** Which fault test of the checklist each point is the crash of. */
const IDS: Readonly<Record<(typeof BLOB_POINTS)[number], string>> = {
  'uploads.start:after': 'FT-01',
  'uploads.lease:after': 'FT-01',
  'store.write:after': 'FT-01',
  'writer.write:after': 'FT-02',
  'writer.suspend:after': 'FT-02',
  'uploads.release:after': 'FT-02',
  'writer.complete:before': 'FT-03',
  'writer.complete:after': 'FT-05',
  'uploads.finish:after': 'FT-07',
};

describe.each(STORES)('a replica that dies while it commits a blob to %s', (kind) => {
  let store: TestStore;
  let replicas: Replicas;
  let left: Entrepot;

  beforeAll(async () => {
    store = await openTestStore(kind);
    replicas = await startReplicas({ storage: store.settings });
    left = await replicas.start();
  });
  afterAll(async () => {
    await replicas.remove();
    await store.remove();
  });

  /** Pushes by a replica that kills itself at the point; the journal has what it acknowledged before. */
  async function pushToVictim(point: string, content: Content): Promise<Journal> {
    const victim = await replicas.start({ ENTREPOT_TEST_FAIL_POINT: `${point}=kill` });
    const client = connect(replicas.target(victim));
    const journal = new Journal();
    await expect(pushBlob({ client, journal, repository: REPOSITORY }, content, 'chunked')).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    client.close();
    await untilDead(victim);
    await victim.remove();
    return journal;
  }

  it.each(BLOB_POINTS.map((point) => [IDS[point], point] as const))('%s: at %s', async (_id, point) => {
    const content = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    const journal = await pushToVictim(point, content);
    const client = connect(replicas.target(left));
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
    const again = new Journal();
    await pushBlob({ client, journal: again, repository: REPOSITORY }, content, 'whole');
    expect(await checkJournal(replicas.target(left), again)).toEqual([]);
    client.close();
  });

  it('FT-07: a finishing PUT that is sent again elsewhere is answered as the first one was to be', async () => {
    const content = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    const [upload] = (await pushToVictim('uploads.finish:after', content)).uploads;
    const client = connect(replicas.target(left));
    const path = withDigest(upload?.location ?? '', content.digest);
    const answer = await client.send({ method: 'PUT', path, headers: { 'Content-Length': 0 } });
    expect(answer.status).toBe(201);
    client.close();
  });

  it('leaves nothing behind that is not removed', async () => {
    await replicas.reclaim();
    const blobs = await replicas.query('SELECT digest FROM blob');
    expect(blobs).toHaveLength(BLOB_POINTS.length + 1);
    // Each has an object and the record beside it.
    expect(await store.contents()).toHaveLength(2 * blobs.length);
  });
});
