import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import { TokenRefused } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { pushImage, Unavailable } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { connect } from '../world/target.js';

const PUSHING_MS = 1_000;
const RECOVERY_MS = 15_000;
const POLL_MS = 50;

/** Which of Postgres' processes are killed, its first one among them or not. */
const KILLS: Record<string, (product: Entrepot) => readonly number[]> = {
  'the first process': (product) => [postmasterOf(product)],
  'all processes': (product) => postgresProcesses(product),
  'one backend': (product) => postgresProcesses(product).slice(-1),
};

describe.each(Object.entries(KILLS))('SIGKILL of Postgres (%s) in the middle of pushes', (_name, choose) => {
  let product: Entrepot;
  beforeAll(async () => {
    product = await startEntrepot({ settings: { ENTREPOT_CONTENT_UPLOAD_LEASE: '1s' } });
  });
  afterAll(() => product.remove());

  it('is answered with 503 until it runs again, and loses nothing that was acknowledged', async () => {
    const journal = new Journal();
    const nodeId = product.pid;
    const pushers = startPushers(product, journal);
    await delay(PUSHING_MS);
    const killed = choose(product);
    expect(killed.length).toBeGreaterThan(0);
    for (const pid of killed) signalProcess(pid, 'SIGKILL');

    await untilPushWorks(product);
    await delay(PUSHING_MS);
    await pushers.stop();
    console.log(journal.summary());
    expect(journal.surprises).toEqual([]);
    expect(product.pid).toBe(nodeId);
    expect(postmasterOf(product)).toBeGreaterThan(0);
    expect(await checkJournal(product, journal)).toEqual([]);
  });
});

/** A push from start to end succeeds, at the latest when the bound is over; until then only 503 is an answer. */
async function untilPushWorks(product: Entrepot): Promise<void> {
  for (const deadline = performance.now() + RECOVERY_MS; ; await delay(POLL_MS)) {
    const client = connect(product);
    try {
      const bench = { client, journal: new Journal(), repository: 'admin/probe' };
      await pushImage(bench, { image: buildImage({ layers: [randomBytes(64)] }), tag: 'probe', way: 'streamed' });
      return;
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) throw error;
    } finally {
      client.close();
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Unavailable || (error instanceof TokenRefused && error.status === 503);
}

function postmasterOf({ dataDirectory }: Entrepot): number {
  return Number(readFileSync(join(dataDirectory, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}

function postgresProcesses(product: Entrepot): readonly number[] {
  return product.processes().filter((pid) => pid !== product.pid);
}
