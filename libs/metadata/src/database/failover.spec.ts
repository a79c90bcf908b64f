import { randomUUID } from 'node:crypto';
import { RegistryError } from '@entrepot/oci';
import { startPostgresProxy, type PostgresProxy } from '@entrepot/testkit/postgres-proxy';
import { hasStreamingPair, startStreamingPair, type StreamingPair } from '@entrepot/testkit/streaming-pair';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf, type Document } from '../content/content-world.suite.js';
import { migrate } from '../index.js';
import { DatabaseUnavailable } from './errors.js';

const PUSHERS = 6;
/** Pushes that are acknowledged before the failover, and again after it. */
const ENOUGH = 30;

describe.skipIf(!hasStreamingPair())('FT-40: a failover to a synchronous standby', () => {
  let pair: StreamingPair;
  let proxy: PostgresProxy;
  let world: ContentWorld;

  beforeAll(async () => {
    pair = await startStreamingPair();
    await pair.makeSynchronous();
    await migrate(pair.primaryUrl);
    proxy = await startPostgresProxy(pair.primaryUrl);
    world = new ContentWorld(proxy.url, { patienceMs: 20_000 });
    await world.open();
  });
  afterAll(async () => {
    await world.close();
    await proxy.close();
    await pair.remove();
  });

  it('loses nothing that was acknowledged, and does nothing twice', async () => {
    const acknowledged: Document[] = [];
    const surprises: unknown[] = [];
    const stopping = new AbortController();
    const push = async (pusher: number): Promise<void> => {
      const layer = randomUUID();
      const image = imageOf([[await world.pushBlob(layer), layer.length]]);
      await world.put(image, [`p${pusher}-${acknowledged.length}`]);
      acknowledged.push(image);
    };
    const pusher = async (place: number): Promise<void> => {
      while (!stopping.signal.aborted) {
        await push(place).catch((error: unknown) => {
          if (!(error instanceof DatabaseUnavailable) && !isForgottenStart(error)) surprises.push(error);
        });
      }
    };
    const running = Array.from({ length: PUSHERS }, (_, place) => pusher(place));
    await until(() => acknowledged.length >= ENOUGH);
    // In the middle of transactions: their connections end with the primary, and the new one is a standby at first.
    const failed = pair.failOver();
    proxy.redirect(pair.replicaUrl);
    await failed;
    const before = acknowledged.length;
    await until(() => acknowledged.length >= before + ENOUGH);
    stopping.abort();
    await Promise.all(running);

    expect(surprises).toEqual([]);
    for (const image of acknowledged) expect(await world.holdsManifest(image)).toBe(true);
    const { rows } = await world.owner.query<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM manifest) AS manifests,
         (SELECT count(*)::int FROM audit_event WHERE action = 'manifest.pushed') AS audited,
         (SELECT count(*)::int FROM outbox_event WHERE kind = 'manifest.pushed') AS events,
         (SELECT sum(manifests)::int FROM usage_delta) AS counted,
         (SELECT count(*)::int FROM tag_history) AS history`,
    );
    const { manifests } = rows[0] ?? {};
    expect(rows[0]).toEqual({
      manifests,
      audited: manifests,
      events: manifests,
      counted: manifests,
      history: manifests,
    });
  });
});

/** The start of an upload is not waited for on disk, and no byte was acknowledged: its client begins again. */
function isForgottenStart(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'BLOB_UPLOAD_UNKNOWN';
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
