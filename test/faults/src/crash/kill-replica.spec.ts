import type { Entrepot } from '@entrepot/testkit/entrepot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { startPushers } from '../world/pushers.js';
import { startReplicas, type Replicas } from '../world/replicas.js';

/** Enough to have all ways of pushing under way. */
const PUSHED_BLOBS = 50;

describe('two registries and a token issuer, each a process of its own, over one Postgres', () => {
  let replicas: Replicas;
  let killed: Entrepot;
  let left: Entrepot;

  beforeAll(async () => {
    replicas = await startReplicas();
    [killed, left] = [await replicas.start(), await replicas.start()];
  });
  afterAll(() => replicas.remove());

  it('lose nothing with one of them: the other serves what it acknowledged and goes on with its uploads', async () => {
    const [journal, otherJournal] = [new Journal(), new Journal()];
    const pushers = startPushers(replicas.target(killed), journal);
    const otherPushers = startPushers(replicas.target(left), otherJournal);
    await until(() => journal.blobs.length >= PUSHED_BLOBS, 'pushes to be acknowledged');
    await killed.kill();
    await pushers.ended;
    await otherPushers.stop();

    console.log(`killed: ${journal.summary()}\nleft: ${otherJournal.summary()}`);
    expect(otherJournal.uploads.size).toBe(0);
    expect(otherJournal.unavailableCount).toBe(0);
    // Both pushed under the same tags of the shared repositories: content is held to, tags are not.
    journal.tags.clear();
    otherJournal.tags.clear();
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
    expect(await checkJournal(replicas.target(left), otherJournal)).toEqual([]);
  });
});
