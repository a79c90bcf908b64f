import { randomBytes } from 'node:crypto';
import { contentOf } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const BLOBS = 40;
const BLOB_BYTES = 50_000;
/** Slow enough to be killed in the middle. */
const SLOWLY = { ENTREPOT_GC_SCRUB_RATE: '200000' };

interface JobRow {
  readonly status: string;
  readonly losses: number;
  readonly done: number | null;
  readonly result: Readonly<Record<string, number>> | null;
}

describe('a scrub whose worker is killed', () => {
  let replicas: Replicas;

  beforeAll(async () => {
    replicas = await startReplicas();
    const registry = await replicas.start();
    const client = connect(replicas.target(registry));
    const bench = { client, journal: new Journal(), repository: 'admin/app' };
    for (let pushed = 0; pushed < BLOBS; pushed += 1) {
      await pushBlob(bench, contentOf('application/octet-stream', randomBytes(BLOB_BYTES)), 'whole');
    }
    client.close();
  });
  afterAll(() => replicas.remove());

  async function scrub(): Promise<JobRow> {
    const [row] = await replicas.query<JobRow>(`
      SELECT status, losses, (progress ->> 'done')::int AS done, result FROM job WHERE kind = 'scrub' AND NOT is_scheduled`);
    if (!row) throw new Error('no scrub');
    return row;
  }

  it('is gone on with by another one, which reads little twice', async () => {
    const first = await replicas.startJobrunner(SLOWLY);
    await replicas.run(['job', 'run', 'scrub']);
    await until(async () => ((await scrub()).done ?? 0) > 5 * BLOB_BYTES, 'some blobs to be read');
    await first.kill();
    const { done } = await scrub();
    await replicas.startJobrunner(SLOWLY);
    await until(async () => (await scrub()).status === 'done', 'the scrub to be done');
    expect(done).toBeLessThan(BLOBS * BLOB_BYTES);
    expect(await scrub()).toMatchObject({
      losses: 1,
      result: { objects: BLOBS, bytes: BLOBS * BLOB_BYTES, missing: 0, short: 0, corrupt: 0, unreadable: 0 },
    });
  });
});
