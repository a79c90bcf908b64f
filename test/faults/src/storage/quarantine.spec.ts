import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { startFaultProxy } from '@entrepot/testkit/fault-proxy';
import { contentOf, type Content } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { isS3ServerSkipped, newTestBucket } from '@entrepot/testkit/test-bucket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download, HONEST, judge } from '../world/download.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, s3Settings, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

const FIRST = 'admin/first';
const SECOND = 'admin/second';
const SIZE_BYTES = 3 * 2 ** 20 + 1;

/** Registry, jobrunner, and a client of theirs over one store. */
class World {
  private constructor(
    readonly replicas: Replicas,
    readonly registry: Entrepot,
    readonly client: RegistryClient,
  ) {}

  static async open(storage: Readonly<Record<string, string>>): Promise<World> {
    const replicas = await startReplicas({ storage });
    const registry = await replicas.start();
    await replicas.startJobrunner();
    return new World(replicas, registry, connect(replicas.target(registry)));
  }

  async close(): Promise<void> {
    this.client.close();
    await this.replicas.remove();
  }

  push(content: Content, repository = FIRST): Promise<void> {
    return pushBlob({ client: this.client, journal: new Journal(), repository }, content, 'whole');
  }

  /** A blob that two repositories hold. */
  async pushShared(): Promise<Content> {
    const content = contentOf('application/octet-stream', randomBytes(SIZE_BYTES));
    await this.push(content, FIRST);
    await this.push(content, SECOND);
    return content;
  }

  async keyOf({ digest }: Content): Promise<string> {
    const [row] = await this.replicas.query<{ object_key: string }>(
      `SELECT object_key FROM blob WHERE encode(substring(digest from 2), 'hex') = $1`,
      [digest.slice('sha256:'.length)],
    );
    return row?.object_key ?? '';
  }

  async pull(content: Content, repository = FIRST): Promise<string> {
    const answer = await download({ client: this.client, url: this.registry.url }, repository, content.digest);
    return answer.status === 404 ? 'unknown' : judge(answer, content);
  }

  async head({ digest }: Content, repository = FIRST): Promise<number> {
    return (await this.client.send({ method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` })).status;
  }

  /** 201 where it was mounted, 202 where it has to be uploaded. */
  async mount({ digest }: Content): Promise<number> {
    const path = `/v2/admin/mounted/blobs/uploads/?mount=${digest}&from=${FIRST}`;
    const scopes = [`repository:${FIRST}:pull`];
    return (await this.client.send({ method: 'POST', path, headers: { 'Content-Length': 0 }, scopes })).status;
  }

  async scrub(...options: string[]): Promise<Record<string, number>> {
    const printed = await this.replicas.run(['job', 'run', 'scrub', '--wait', '--json', ...options]);
    return (JSON.parse(printed) as { result: Record<string, number> }).result;
  }

  /** What everybody gets before and after it is pushed once. */
  async healByPush(content: Content) {
    const before = await this.look(content);
    await this.push(content, SECOND);
    return { before, after: await this.look(content) };
  }

  private async look(content: Content) {
    const pulls = [await this.pull(content, FIRST), await this.pull(content, SECOND)];
    const heads = [await this.head(content, FIRST), await this.head(content, SECOND)];
    return { pulls, heads, mount: await this.mount(content) };
  }

  async inQuarantine(): Promise<number> {
    const [row] = await this.replicas.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM blob WHERE fault IS NOT NULL',
    );
    return row?.n ?? Number.NaN;
  }
}

/** Nobody has it any more; one push of it into one repository, and both have it. */
const HEALED = {
  before: { pulls: ['unknown', 'unknown'], heads: [404, 404], mount: 202 },
  after: { pulls: ['right', 'right'], heads: [200, 200], mount: 201 },
};

describe.each(STORES)('FT-53: an object in %s', (kind) => {
  let store: TestStore;
  let world: World;

  beforeAll(async () => {
    store = await openTestStore(kind);
    world = await World.open({ ...store.settings, ENTREPOT_STORAGE_VERIFY_READS: 'always' });
  });
  afterAll(async () => {
    await world.close();
    await store.remove();
  });

  it('that is missing is noticed by the first pull', async () => {
    const content = await world.pushShared();
    await store.lose(await world.keyOf(content));
    expect(await world.pull(content)).toBe('refused');
    expect(await world.healByPush(content)).toEqual(HEALED);
  });

  it('that is short is noticed by the first pull', async () => {
    const content = await world.pushShared();
    await store.shorten(await world.keyOf(content), SIZE_BYTES - 1);
    expect(['refused', 'cut']).toContain(await world.pull(content));
    expect(await world.healByPush(content)).toEqual(HEALED);
  });

  it('of other bytes is found by a scrub', async () => {
    const [content, sound] = [await world.pushShared(), await world.pushShared()];
    await store.flipBit(await world.keyOf(content), 1_000_000);
    expect(await world.scrub('--dry-run')).toMatchObject({ corrupt: 1, quarantined: 0 });
    expect(await world.head(content)).toBe(200);
    expect(await world.scrub()).toMatchObject({ corrupt: 1, quarantined: 1, missing: 0, short: 0 });
    expect(await world.healByPush(content)).toEqual(HEALED);
    expect(await world.pull(sound)).toBe('right');
    expect(await world.scrub()).toMatchObject({ corrupt: 0, quarantined: 0 });
  });

  it('of other bytes is found by a pull, which is cut', async () => {
    const content = await world.pushShared();
    await store.flipBit(await world.keyOf(content), 1_000_000);
    expect(['refused', 'cut']).toContain(await world.pull(content));
    await until(async () => (await world.inQuarantine()) === 1, 'the blob to be in quarantine');
    expect(await world.healByPush(content)).toEqual(HEALED);
  });

  it('that was put back is served again after a scrub', async () => {
    const content = await world.pushShared();
    const key = await world.keyOf(content);
    await store.flipBit(key, 7);
    expect(await world.scrub('--param', `repository=${FIRST}`)).toMatchObject({ quarantined: 1 });
    await store.flipBit(key, 7);
    expect(await world.scrub('--param', `repository=${FIRST}`)).toMatchObject({ healed: 1 });
    expect(await world.pull(content)).toBe('right');
  });
});

describe('a store that is not there', () => {
  it('is no missing object: a volume that is not mounted', async () => {
    const store = await openTestStore('filesystem');
    const world = await World.open(store.settings);
    try {
      const content = await world.pushShared();
      const objects = join(store.settings['ENTREPOT_STORAGE_ROOT'] ?? '', 'objects');
      await rename(objects, `${objects}-away`);
      expect(await world.pull(content)).toBe('refused');
      expect(await world.pull(content)).toBe('refused');
      await rename(`${objects}-away`, objects);
      expect(await world.pull(content)).toBe('right');
    } finally {
      await world.close();
      await store.remove();
    }
  });

  it.skipIf(isS3ServerSkipped('versitygw'))('is no missing object: a bucket that fails', async () => {
    const bucket = await newTestBucket('versitygw');
    const proxy = await startFaultProxy(bucket.endpoint);
    const world = await World.open({ ...s3Settings(bucket, proxy.origin), ENTREPOT_STORAGE_IDLE_TIMEOUT: '1s' });
    try {
      const content = await world.pushShared();
      const faults = [
        { kind: 'refuse' },
        { kind: 'answer', status: 503, code: 'SlowDown' },
        { kind: 'answer', status: 404, code: 'NoSuchBucket' },
        { kind: 'flip', body: 'answer', atByte: 66_666 },
        { kind: 'length', deltaBytes: -10 },
      ] as const;
      for (const fault of faults) {
        proxy.add({ fault, method: 'GET' });
        proxy.add({ fault, method: 'HEAD' });
        expect(HONEST).toContain(await world.pull(content));
        proxy.clear();
        await until(async () => (await world.pull(content)) === 'right', 'pulls to work again');
      }
      expect(await world.inQuarantine()).toBe(0);
    } finally {
      await world.close();
      await proxy.close();
    }
  });
});
