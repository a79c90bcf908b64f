import { randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { startFaultProxy, type FaultProxy } from '@entrepot/testkit/fault-proxy';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { isS3ServerSkipped, newTestBucket, type S3Bucket } from '@entrepot/testkit/test-bucket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../world/process-state.js';
import { EAGER, startReplicas, type Replicas } from '../world/replicas.js';
import { objectsIn, s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';

const REPOSITORY = 'admin/removed';
const UPLOAD_COUNT = 12;
const UPLOAD_BYTES = 20_000;
const LONGEST_TRANSACTION_MS = 10_000;

describe.skipIf(isS3ServerSkipped('versitygw'))('FT-24: removals that fail', () => {
  let bucket: S3Bucket;
  let proxy: FaultProxy;
  let replicas: Replicas;
  let registry: Entrepot;
  let client: RegistryClient;

  beforeAll(async () => {
    bucket = await newTestBucket('versitygw');
    proxy = await startFaultProxy(bucket.endpoint);
    replicas = await startReplicas({ storage: s3Settings(bucket, proxy.origin) });
    registry = await replicas.start();
    client = connect(replicas.target(registry));
  });
  afterAll(async () => {
    client.close();
    await replicas.remove();
    await proxy.close();
  });

  async function cancelUpload(): Promise<void> {
    const opened = await client.send({ method: 'POST', path: `/v2/${REPOSITORY}/blobs/uploads/` });
    const path = opened.headers.location ?? '';
    const sent = await client.send({ method: 'PATCH', path, body: randomBytes(UPLOAD_BYTES) });
    const ended = await client.send({ method: 'DELETE', path: sent.headers.location ?? '' });
    expect(ended.status).toBe(204);
  }

  const doomed = () => replicas.query<{ object_key: string }>('SELECT object_key FROM doomed_object');

  it('hold up no other removal, and no transaction', async () => {
    for (let count = 0; count < UPLOAD_COUNT; count += 1) await cancelUpload();
    const [first] = await doomed();
    const key = first?.object_key ?? '';
    // One object can never be removed, and every third request fails or is lost.
    proxy.add({ method: 'DELETE', url: new RegExp(key), fault: { kind: 'answer', status: 403, code: 'AccessDenied' } });
    proxy.add({ method: 'DELETE', everyNth: 3, fault: { kind: 'answer', status: 503, code: 'SlowDown' } });
    proxy.add({ method: 'DELETE', skip: 1, everyNth: 4, fault: { kind: 'dropAnswer' } });

    const jobrunner = await replicas.startJobrunner(EAGER);
    let longestMs = 0;
    await until(async () => {
      const [row] = await replicas.query<{ age_ms: number }>(
        `SELECT coalesce(max(extract(epoch FROM now() - xact_start)) * 1000, 0)::float8 AS age_ms
         FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()`,
      );
      longestMs = Math.max(longestMs, row?.age_ms ?? 0);
      return (await doomed()).every((one) => one.object_key === key);
    }, 'all but one object to be removed');
    await jobrunner.remove();
    expect(longestMs).toBeLessThan(LONGEST_TRANSACTION_MS);
    expect((await doomed()).map((one) => one.object_key)).toEqual([key]);
    const left = await objectsIn(bucket);
    expect(left.filter((name) => !name.includes(key))).toEqual([]);
  });
});
