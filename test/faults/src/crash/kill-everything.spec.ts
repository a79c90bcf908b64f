import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { signalProcess } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { startPushers } from '../world/pushers.js';

const ROUND_COUNT = 4;
const LEAST_PUSHING_MS = 50;
const MOST_PUSHING_MS = 2_000;

const KILLS: Record<string, (product: Entrepot) => Promise<unknown> | unknown> = {
  'every process at once': (product) => product.kill(),
  'Node alone, its Postgres left behind': (product) => signalProcess(-product.pid, 'SIGKILL'),
};

describe.each(Object.entries(KILLS))('SIGKILL of %s in the middle of pushes', (_name, kill) => {
  let product: Entrepot;
  beforeAll(async () => {
    product = await startEntrepot();
  });
  afterAll(() => product.remove());
  const journal = new Journal();

  it.each(Array.from({ length: ROUND_COUNT }, (_, round) => round + 1))(
    'loses nothing that was acknowledged (round %i)',
    async () => {
      const pushers = startPushers(product, journal);
      await delay(randomInt(LEAST_PUSHING_MS, MOST_PUSHING_MS));
      await kill(product);
      await pushers.ended;
      await product.restart();
      console.log(journal.summary());
      expect(journal.blobs.length).toBeGreaterThan(0);
      expect(await checkJournal(product, journal)).toEqual([]);
    },
  );
});
