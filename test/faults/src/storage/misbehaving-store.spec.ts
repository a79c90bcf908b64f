import { randomBytes } from 'node:crypto';
import { startFaultProxy, type Fault, type FaultProxy, type FaultRule } from '@entrepot/testkit/fault-proxy';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, contentOf, type Content } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { isS3ServerSkipped, newTestBucket } from '@entrepot/testkit/test-bucket';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { download, HONEST, judge } from '../world/download.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob, pushImage, Unavailable, UPLOAD_WAYS, type Bench } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';

/** Two parts, of which the second is no whole one. */
const LARGE_BYTES = 11 * 2 ** 20 + 333;
const SMALL_BYTES = 100_000;
const SLOW_BYTES = 3_000_000;
const REPOSITORY = 'admin/doubtful';

const slowDown: Fault = { kind: 'answer', status: 503, code: 'SlowDown' };
const internalError: Fault = { kind: 'answer', status: 500, code: 'InternalError' };
const denied: Fault = { kind: 'answer', status: 403, code: 'AccessDenied' };
const skewed: Fault = { kind: 'answer', status: 403, code: 'RequestTimeTooSkewed' };

/** What may happen to any request now and then. */
const PASSING: readonly (readonly [string, FaultRule])[] = [
  ['503 SlowDown', { fault: slowDown, everyNth: 3 }],
  ['500', { fault: internalError, everyNth: 3 }],
  ['refused connections', { fault: { kind: 'refuse' }, everyNth: 3 }],
  ['answers that are lost', { fault: { kind: 'dropAnswer' }, everyNth: 3 }],
  [
    'resets in a request body',
    { fault: { kind: 'reset', body: 'request', afterBytes: 50_000 }, method: 'PUT', everyNth: 2 },
  ],
  ['latency', { fault: { kind: 'delay', delayMs: 100 } }],
  [
    'a flipped bit in a request body',
    { fault: { kind: 'flip', body: 'request', atByte: 77_777 }, method: 'PUT', everyNth: 2 },
  ],
];

/** What may happen to the bytes of a pull. */
const READING: readonly (readonly [string, Fault])[] = [
  ['a reset', { kind: 'reset', body: 'answer', afterBytes: 60_000 }],
  ['an early end', { kind: 'truncate', afterBytes: 60_000 }],
  ['a length that is too large', { kind: 'length', deltaBytes: 10 }],
  ['a length that is too small', { kind: 'length', deltaBytes: -10 }],
  ['a flipped bit', { kind: 'flip', body: 'answer', atByte: 66_666 }],
  ['503 SlowDown', slowDown],
  ['403', denied],
];

/** What lasts until somebody mends it. */
const LASTING: readonly (readonly [string, Fault])[] = [
  ['503 SlowDown', slowDown],
  ['403 after a rotation of keys', denied],
  ['403 for a wrong clock', skewed],
  ['refused connections', { kind: 'refuse' }],
];

describe.skipIf(isS3ServerSkipped('versitygw'))('FT-43: a store that misbehaves', () => {
  let proxy: FaultProxy;
  let replicas: Replicas;
  let registry: Entrepot;
  let client: RegistryClient;
  const journal = new Journal();
  const large = contentOf('application/octet-stream', randomBytes(LARGE_BYTES));
  const small = contentOf('application/octet-stream', randomBytes(SMALL_BYTES));
  const bench = (): Bench => ({ client, journal, repository: REPOSITORY });

  beforeAll(async () => {
    const bucket = await newTestBucket('versitygw');
    proxy = await startFaultProxy(bucket.endpoint);
    const storage = { ...s3Settings(bucket, proxy.origin), ENTREPOT_STORAGE_IDLE_TIMEOUT: '4s' };
    replicas = await startReplicas({ storage });
    registry = await replicas.start();
    client = connect(replicas.target(registry));
    for (const content of [large, small]) await pushBlob(bench(), content, 'whole');
  });
  afterEach(() => proxy.clear());
  afterAll(async () => {
    client.close();
    await replicas.remove();
    await proxy.close();
  });

  const pull = async (content: Content) =>
    judge(await download({ client, url: registry.url }, REPOSITORY, content.digest), content);

  async function untilPushed(): Promise<void> {
    const content = contentOf('application/octet-stream', randomBytes(SMALL_BYTES));
    await until(async () => {
      const answer = await pushBlob(bench(), content, 'whole').catch((error: unknown) => error);
      if (answer !== undefined && !(answer instanceof Unavailable)) throw answer as Error;
      return answer === undefined;
    }, 'pushes to work again');
  }

  it.each(PASSING)('loses nothing to %s', async (_name, rule) => {
    proxy.add(rule);
    const outcomes: string[] = [];
    for (const way of UPLOAD_WAYS) {
      const image = buildImage({ layers: [randomBytes(LARGE_BYTES), randomBytes(SMALL_BYTES)] });
      const pushed = pushImage(bench(), { image, tag: way, way });
      outcomes.push(await pushed.then(() => 'pushed', outcomeOf));
    }
    for (const content of [large, small]) expect(HONEST).toContain(await pull(content));
    proxy.clear();
    console.log(outcomes.join(', '));
    expect(outcomes.filter((outcome) => outcome !== 'pushed' && outcome !== 'refused')).toEqual([]);
    await untilPushed();
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
  });

  it('waits for a store that is slow: 1 MB/s', async () => {
    const held = contentOf('application/octet-stream', randomBytes(SLOW_BYTES));
    proxy.add({ fault: { kind: 'throttle', bytesPerSecond: 1_000_000 } });
    await pushBlob(bench(), held, 'streamed');
    expect(await pull(held)).toBe('right');
  });

  it.each(READING)('serves no wrong byte after %s in every answer', async (_name, fault) => {
    proxy.add({ method: 'GET', url: /objects/, fault });
    for (const content of [large, small]) expect(HONEST).toContain(await pull(content));
    proxy.clear();
    await until(async () => (await pull(small)) === 'right', 'pulls to work again');
    expect(await pull(large)).toBe('right');
  });

  it.each(READING)('serves the right bytes after %s in one answer, or none', async (_name, fault) => {
    proxy.add({ method: 'GET', url: /objects/, fault, times: 1 });
    expect(HONEST).toContain(await pull(large));
  });

  it.each(LASTING)('says when to come back while there is %s', async (_name, fault) => {
    proxy.add({ fault });
    const content = contentOf('application/octet-stream', randomBytes(LARGE_BYTES));
    for (const way of UPLOAD_WAYS) {
      await expect(pushBlob(bench(), content, way)).rejects.toThrow(Unavailable);
    }
    expect(await pull(large)).toBe('refused');
    // Metadata is not in the store: what needs no bytes of blobs goes on.
    const path = `/v2/${REPOSITORY}/blobs/${large.digest}`;
    expect((await client.send({ method: 'HEAD', path })).status).toBe(200);
    proxy.clear();
    await untilPushed();
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
  });

  it('FT-44: answers while nothing comes from the store any more', async () => {
    proxy.add({ fault: { kind: 'stall', body: 'request', afterBytes: 0 }, method: 'PUT' });
    proxy.add({ fault: { kind: 'stall', body: 'answer', afterBytes: 0 } });
    const content = contentOf('application/octet-stream', randomBytes(SMALL_BYTES));
    const [pushed, pulled] = await Promise.all([
      pushBlob(bench(), content, 'whole').catch((error: unknown) => error),
      pull(large),
    ]);
    expect(pushed).toBeInstanceOf(Unavailable);
    expect(HONEST).toContain(pulled);
    proxy.clear();
    await untilPushed();
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
  });
});

function outcomeOf(error: unknown): string {
  return error instanceof Unavailable ? 'refused' : String(error);
}
