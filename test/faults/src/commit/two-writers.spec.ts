import { randomBytes } from 'node:crypto';
import type { BLOB_POINTS } from '@entrepot/content';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { untilStopped } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

const BLOB_BYTES = 11 * 2 ** 20 + 54_321;
const SMALL_BYTES = 20_000;
const ROUNDS = 100;
const REPOSITORY = 'admin/twice';

/** Where a replica that wakes up still has something to write. */
const PAUSES: readonly (readonly [string, (typeof BLOB_POINTS)[number]])[] = [
  ['FT-01', 'uploads.lease:after'],
  ['FT-02', 'writer.write:after'],
  ['FT-02', 'writer.suspend:after'],
  ['FT-03', 'writer.complete:before'],
  ['FT-05', 'writer.complete:after'],
];

describe.each(STORES)('two replicas that write the same to %s', (kind) => {
  let store: TestStore;
  let replicas: Replicas;
  let left: Entrepot;
  let blobCount = 0;

  beforeAll(async () => {
    store = await openTestStore(kind);
    replicas = await startReplicas({ storage: store.settings });
    left = await replicas.start();
  });
  afterAll(async () => {
    await replicas.remove();
    await store.remove();
  });

  it.each(PAUSES)('%s: one that sleeps beyond its lease at %s changes nothing when it wakes', async (_id, point) => {
    const content = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    blobCount += 1;
    const sleeper = await replicas.start({ ENTREPOT_TEST_FAIL_POINT: `${point}=pause` });
    const client = connect(replicas.target(sleeper));
    const journal = new Journal();
    const pushing = pushBlob({ client, journal, repository: REPOSITORY }, content, 'chunked').catch(String);
    await untilStopped(sleeper);

    const held = [{ repository: REPOSITORY, content }];
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
    signalProcess(sleeper.pid, 'SIGCONT');
    // Another one took the upload over or finished it: whoever slept is told so, or to ask again.
    expect(String(await pushing)).toMatch(/^undefined$|: 4(04|09|16) |^Unavailable/);
    client.close();
    const afterwards = new Journal();
    afterwards.blobs.push(...held);
    expect(await checkJournal(replicas.target(left), afterwards)).toEqual([]);
    expect(await checkJournal(replicas.target(sleeper), afterwards)).toEqual([]);
    await sleeper.remove();
  });

  it(`FT-08: both finish one digest at once, ${ROUNDS} times`, async () => {
    const other = await replicas.start();
    const clients = [connect(replicas.target(left)), connect(replicas.target(other))];
    const journal = new Journal();
    for (let round = 0; round < ROUNDS; round += 1) {
      const content = contentOf('application/octet-stream', randomBytes(SMALL_BYTES));
      const way = round % 2 === 0 ? 'whole' : 'streamed';
      await Promise.all(clients.map((client) => pushBlob({ client, journal, repository: REPOSITORY }, content, way)));
      blobCount += 1;
    }
    clients.forEach((client) => client.close());
    expect(await checkJournal(replicas.target(other), journal)).toEqual([]);
  });

  it('leaves one object for each digest', async () => {
    await replicas.reclaim();
    expect(await replicas.query('SELECT digest FROM blob')).toHaveLength(blobCount);
    expect(await store.contents()).toHaveLength(2 * blobCount);
  });
});
