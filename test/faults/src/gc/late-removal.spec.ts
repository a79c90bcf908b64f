import { randomBytes } from 'node:crypto';
import { buildImage, contentOf } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until, untilStopped } from '../world/process-state.js';
import { pushBlob, pushImage } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';
import { collectEverything, LATE_REVIEWER, NO_GRACE } from './garbage.js';

const LAYER_BYTES = 6 * 2 ** 20;
const REPOSITORY = 'admin/late';

describe.each(STORES)('FT-22: a collector that sleeps between its decision and the removal, over %s', (kind) => {
  let store: TestStore;
  let replicas: Replicas;

  beforeAll(async () => {
    store = await openTestStore(kind);
    replicas = await startReplicas({ storage: store.settings, settings: NO_GRACE });
  });
  afterAll(async () => {
    await replicas.remove();
    await store.remove();
  });

  it.each(['reviews.reviewBlobs:after', 'purge.claimDoomedObjects:after'])(
    'at %s: the same digest, pushed meanwhile, keeps its new object',
    async (point) => {
      const target = replicas.target(await replicas.start());
      const client = connect(target);
      const layer = randomBytes(LAYER_BYTES);
      const stray = { client, journal: new Journal(), repository: REPOSITORY };
      await pushBlob(stray, contentOf('application/octet-stream', layer), 'whole');
      const sleeper = await replicas.startJobrunner({ ...LATE_REVIEWER, ENTREPOT_TEST_FAIL_POINT: `${point}=pause` });
      await untilStopped(sleeper);

      const journal = new Journal();
      await pushImage(
        { client, journal, repository: REPOSITORY },
        { image: buildImage({ layers: [layer] }), tag: 'again', way: 'whole' },
      );
      const isDoomed = async () => (await replicas.query('SELECT FROM doomed_object')).length > 0;
      expect(await isDoomed()).toBe(true);
      signalProcess(sleeper.pid, 'SIGCONT');
      await until(async () => !(await isDoomed()), 'the old object to go');
      await sleeper.remove();
      await collectEverything(replicas);
      expect(await checkJournal(target, journal)).toEqual([]);
      expect(await store.contents()).toHaveLength(2 * journal.blobs.length);
      client.close();
    },
  );
});
