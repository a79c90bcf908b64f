import { REMOVAL_POINTS, REVIEW_POINTS } from '@entrepot/content';
import { signalProcess } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { untilDead, untilStopped } from '../world/process-state.js';
import { startStoredReplicas, type StoredReplicas } from '../world/stored-replicas.js';
import { STORES } from '../world/stores.js';
import { collectEverything, LATE_REVIEWER, makeGarbage, NO_GRACE, REVIEWER } from './garbage.js';

/** Abandoned uploads are in commit/kill-removal. */
const REMOVALS = REMOVAL_POINTS.filter((point) => point !== 'purge.doomAbandonedUploads:after');
/** What happens between rows only is tried over one store. */
const POINTS = {
  filesystem: [...REVIEW_POINTS, ...REMOVALS],
  versitygw: ['reviews.reviewBlobs:after', ...REMOVALS],
} as const;

const ROWS = `
  SELECT (SELECT count(*)::int FROM manifest) AS manifests, (SELECT count(*)::int FROM blob) AS blobs,
    (SELECT count(*)::int FROM repository) AS repositories`;

describe.each(STORES)('a collector that is stopped at any step, over %s', (kind) => {
  let world: StoredReplicas;
  const journal = new Journal();

  beforeAll(async () => {
    world = await startStoredReplicas(kind, NO_GRACE);
  });
  afterAll(() => world.remove());

  /** What differs from this: everything that nothing refers to is gone (INV-6), and nothing else (INV-1, INV-5). */
  async function findWrong(): Promise<string[]> {
    const { replicas, store, target } = world;
    await collectEverything(replicas);
    const blobs = new Set(journal.blobs.map(({ content }) => content.digest)).size;
    const [rows] = await replicas.query<{ manifests: number; blobs: number; repositories: number }>(ROWS);
    const counts = [
      [rows?.manifests, journal.manifests.length, 'manifests'],
      [rows?.blobs, blobs, 'blobs'],
      [rows?.repositories, 1, 'repositories'],
      // Each blob has an object and the record beside it.
      [(await store.contents()).length, 2 * blobs, 'files'],
    ] as const;
    const wrong = counts.flatMap(([found, needed, what]) =>
      found === needed ? [] : [`${found} ${what}, not ${needed}`],
    );
    return [...wrong, ...(await checkJournal(target, journal))];
  }

  it.each(POINTS[kind])('killed at %s: another one goes on', async (point) => {
    const { client, replicas } = world;
    await makeGarbage({ client, journal, repository: 'admin/collected' }, replicas);
    const victim = replicas.startJobrunner({ ...REVIEWER, ENTREPOT_TEST_FAIL_POINT: `${point}=kill` });
    // It may be dead before it is ready.
    await victim.then(
      (killed) => untilDead(killed).then(killed.remove),
      () => {},
    );
    expect(await findWrong()).toEqual([]);
  });

  it.each(['reviews.reviewBlobs:after', 'purge.claimDoomedObjects:after'])(
    'asleep at %s while another one goes on: it does no harm when it wakes',
    async (point) => {
      const { client, replicas } = world;
      await makeGarbage({ client, journal, repository: 'admin/collected' }, replicas);
      const sleeper = await replicas.startJobrunner({ ...LATE_REVIEWER, ENTREPOT_TEST_FAIL_POINT: `${point}=pause` });
      await untilStopped(sleeper);
      expect(await findWrong()).toEqual([]);
      signalProcess(sleeper.pid, 'SIGCONT');
      expect(await findWrong()).toEqual([]);
      await sleeper.remove();
    },
  );
});
