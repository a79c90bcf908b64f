import { randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { startFaultProxy, type FaultProxy, type FaultRule } from '@entrepot/testkit/fault-proxy';
import { contentOf } from '@entrepot/testkit/images';
import { isS3ServerSkipped, newTestBucket, type S3Bucket } from '@entrepot/testkit/test-bucket';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until, untilDead } from '../world/process-state.js';
import { pushBlob, Unavailable } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { objectsIn, s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';

const BLOB_BYTES = 11 * 2 ** 20 + 777;
const SMALL_BYTES = 50_000;
const REPOSITORY = 'admin/completed';

const COMPLETE: Pick<FaultRule, 'method' | 'url'> = { method: 'POST', url: /[?&]uploadId=/ };
const PUT_OBJECT: Pick<FaultRule, 'method' | 'url'> = { method: 'PUT', url: /objects\/[^?]*(?<!\.json)(\?x-id=.*)?$/ };

interface Doubt {
  readonly name: string;
  readonly rule: FaultRule;
  readonly sizeBytes?: number;
  /** What the client is told; default is that the blob was pushed. */
  readonly outcome?: RegExp;
}

const LOST: FaultRule['fault'] = { kind: 'dropAnswer' };
const ERROR: FaultRule['fault'] = { kind: 'answer', status: 200, code: 'InternalError' };
const UNKNOWN: FaultRule['fault'] = { kind: 'answer', status: 404, code: 'NoSuchUpload' };

/** What may become of the request that makes an object. */
const DOUBTS: readonly Doubt[] = [
  { name: 'its answer is lost', rule: { ...COMPLETE, fault: LOST, times: 1 } },
  { name: 'every answer is lost', rule: { ...COMPLETE, fault: LOST } },
  { name: 'it is answered 200 with an error', rule: { ...COMPLETE, fault: ERROR, times: 1 } },
  { name: 'it is always answered 200 with an error', rule: { ...COMPLETE, fault: ERROR }, outcome: /^refused$/ },
  // The store says that it has lost the parts: the client's only way on is a new upload.
  {
    name: 'the parts are said to be unknown',
    rule: { ...COMPLETE, fault: UNKNOWN, times: 1 },
    outcome: / 404 .*BLOB_UPLOAD_UNKNOWN/,
  },
  { name: 'its answer ends early', rule: { ...COMPLETE, fault: { kind: 'truncate', afterBytes: 20 }, times: 1 } },
  { name: 'the answer to a small one is lost', rule: { ...PUT_OBJECT, fault: LOST, times: 1 }, sizeBytes: SMALL_BYTES },
];

/** Requests within one operation of the store, in their order: the process dies while it waits for the answer. */
const WIRE_POINTS: readonly (readonly [string, Pick<FaultRule, 'method' | 'url'>])[] = [
  ['FT-01: begun', { method: 'PUT', url: /partNumber=1/ }],
  ['FT-02: first part stored', { method: 'PUT', url: /partNumber=2/ }],
  ['FT-03: all parts stored', COMPLETE],
  ['FT-05: completed, without its record', { method: 'PUT', url: /\.json/ }],
];

describe.skipIf(isS3ServerSkipped('versitygw'))('completing an object on S3', () => {
  let bucket: S3Bucket;
  let proxy: FaultProxy;
  let replicas: Replicas;
  let registry: Entrepot;
  let blobCount = 0;

  beforeAll(async () => {
    bucket = await newTestBucket('versitygw');
    proxy = await startFaultProxy(bucket.endpoint);
    replicas = await startReplicas({ storage: s3Settings(bucket, proxy.origin) });
    registry = await replicas.start();
  });
  afterEach(() => proxy.clear());
  afterAll(async () => {
    await replicas.remove();
    await proxy.close();
  });

  function newContent(sizeBytes: number) {
    blobCount += 1;
    return contentOf('application/octet-stream', randomBytes(sizeBytes));
  }

  it.each(DOUBTS)('FT-04: is acknowledged only where the object is there: $name', async (doubt) => {
    const { rule, sizeBytes = BLOB_BYTES, outcome: expected = /^pushed$/ } = doubt;
    const content = newContent(sizeBytes);
    const client = connect(replicas.target(registry));
    const journal = new Journal();
    const push = () => pushBlob({ client, journal, repository: REPOSITORY }, content, 'streamed');
    proxy.add(rule);
    const outcome = await push().then(
      () => 'pushed',
      (error: unknown) => (error instanceof Unavailable ? 'refused' : String(error)),
    );
    expect(outcome).toMatch(expected);
    proxy.clear();
    if (outcome !== 'refused') journal.uploads.clear();
    await push();
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
    client.close();
  });

  it.each(WIRE_POINTS)('%s, and then the process dies', async (_name, match) => {
    const content = newContent(BLOB_BYTES);
    const victim = await replicas.start();
    const client = connect(replicas.target(victim));
    const journal = new Journal();
    const before = proxy.count(match);
    proxy.add({ ...match, fault: { kind: 'stall', body: 'request', afterBytes: 0 } });
    const pushing = pushBlob({ client, journal, repository: REPOSITORY }, content, 'streamed').catch(String);
    await until(() => proxy.count(match) > before, 'the request to come');
    await victim.kill();
    await untilDead(victim);
    await pushing;
    proxy.clear();
    client.close();
    await victim.remove();
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
  });

  it('leaves nothing behind that is not removed', async () => {
    await replicas.reclaim();
    expect(await replicas.query('SELECT digest FROM blob')).toHaveLength(blobCount);
    expect(await objectsIn(bucket)).toHaveLength(2 * blobCount);
  });
});
