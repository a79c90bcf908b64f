import { randomBytes } from 'node:crypto';
import { REMOVAL_POINTS } from '@entrepot/content';
import { contentOf } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until, untilDead } from '../world/process-state.js';
import { appendPiece, openUpload, pushBlob } from '../world/push.js';
import { EAGER } from '../world/replicas.js';
import { startStoredReplicas, type StoredReplicas } from '../world/stored-replicas.js';
import { STORES } from '../world/stores.js';

const REPOSITORY = 'admin/removed';
const BLOB_BYTES = 6 * 2 ** 20;
const EXPIRED = "SELECT id FROM upload WHERE touched_at < now() - interval '1 second'";

describe.each(STORES)('FT-23: a jobrunner that dies while it removes objects of %s', (kind) => {
  let world: StoredReplicas;
  const journal = new Journal();

  beforeAll(async () => {
    world = await startStoredReplicas(kind);
  });
  afterAll(() => world.remove());

  it.each(REMOVAL_POINTS)('at %s: another one removes the rest, and nothing else', async (point) => {
    const { client, replicas, store, target } = world;
    const bench = { client, journal, repository: REPOSITORY };
    const newContent = () => contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    await pushBlob(bench, newContent(), 'whole');
    const abandoned = { ...bench, journal: new Journal() };
    await appendPiece(abandoned, await openUpload(abandoned, newContent()), BLOB_BYTES / 2);
    await until(async () => (await replicas.query(EXPIRED)).length === 1, 'the upload to expire');
    const victim = replicas.startJobrunner({ ...EAGER, ENTREPOT_TEST_FAIL_POINT: `${point}=kill` });
    // It may be dead before it is ready.
    await victim.then(untilDead, () => {});
    // What the dead one had claimed would come back in a minute.
    await replicas.query('UPDATE doomed_object SET due_at = now()');
    await replicas.reclaim();
    expect(await store.contents()).toHaveLength(2 * journal.blobs.length);
    expect(await checkJournal(target, journal)).toEqual([]);
  });
});
