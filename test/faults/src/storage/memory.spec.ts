import { createHash, randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import { forgetPeakResident, peakResidentBytes } from '@entrepot/testkit/processes';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download, judge } from '../world/download.js';
import { Journal } from '../world/journal.js';
import { pushBlob, withDigest } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

const MIB = 2 ** 20;
const REPOSITORY = 'admin/memory';
/** Beyond every buffer, and far below what an upload may have: parts grow from 8 GiB on only. */
const HUGE_BYTES = 1024 * MIB;
const LARGE_BYTES = 64 * MIB;
const CLIENT_COUNT = 8;
const CHUNK = randomBytes(MIB);

describe.each(STORES)('memory of the data plane over %s', (kind) => {
  let store: TestStore;
  let replicas: Replicas;
  let registry: Entrepot;
  let client: RegistryClient;
  /** Of a registry that has served nothing yet. */
  let idleBytes: number;
  const held = contentOf('application/octet-stream', randomBytes(LARGE_BYTES));

  beforeAll(async () => {
    store = await openTestStore(kind);
    replicas = await startReplicas({ storage: store.settings });
    registry = await replicas.start();
    forgetPeakResident(registry.pid);
    idleBytes = peakResidentBytes(registry.pid);
    client = connect(replicas.target(registry));
  });
  afterAll(async () => {
    client.close();
    await replicas.remove();
    await store.remove();
  });

  /** The most memory while the work was done, less what an idle registry has. */
  async function growthOf(work: () => Promise<unknown>): Promise<number> {
    forgetPeakResident(registry.pid);
    await work();
    const growthBytes = peakResidentBytes(registry.pid) - idleBytes;
    console.log(`${kind}: ${Math.round(idleBytes / MIB)} MiB idle, ${Math.round(growthBytes / MIB)} MiB more at most`);
    return growthBytes;
  }

  /** Sends a blob of which the test holds no more than a chunk. */
  async function pushStream(sizeBytes: number): Promise<void> {
    const hash = createHash('sha256');
    const seed = randomBytes(16);
    async function* bytes() {
      for (let sent = 0; sent < sizeBytes; sent += CHUNK.length) {
        const chunk = sent === 0 ? Buffer.concat([seed, CHUNK.subarray(seed.length)]) : CHUNK;
        hash.update(chunk);
        yield chunk;
      }
    }
    const opened = await client.send({ method: 'POST', path: `/v2/${REPOSITORY}/blobs/uploads/` });
    const sent = await client.send({ method: 'PATCH', path: opened.headers.location ?? '', body: bytes() });
    expect(sent.status).toBe(202);
    const path = withDigest(sent.headers.location ?? '', `sha256:${hash.digest('hex')}`);
    expect((await client.send({ method: 'PUT', path })).status).toBe(201);
  }

  async function pull(): Promise<void> {
    const answer = await download({ client, url: registry.url }, REPOSITORY, held.digest);
    expect(judge(answer, held)).toBe('right');
  }

  it('grows by less than 256 MiB for one upload of any size', async () => {
    await pushBlob({ client, journal: new Journal(), repository: REPOSITORY }, held, 'whole');
    expect(await growthOf(() => pushStream(HUGE_BYTES))).toBeLessThan(256 * MIB);
  });

  it('grows by less than 320 MiB for eight pushes and eight pulls at once', async () => {
    const work = Array.from({ length: CLIENT_COUNT }, () => [() => pushStream(LARGE_BYTES), pull]).flat();
    expect(await growthOf(() => Promise.all(work.map((each) => each())))).toBeLessThan(320 * MIB);
  });
});
