import { randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf, type Content } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download, judge } from '../world/download.js';
import { Journal } from '../world/journal.js';
import { pushBlob } from '../world/push.js';
import { startStoredReplicas, type StoredReplicas } from '../world/stored-replicas.js';
import { STORES } from '../world/stores.js';

const REPOSITORY = 'admin/rotten';
const LARGE_BYTES = 9 * 2 ** 20 + 1;
const SMALL_BYTES = 1_000;

describe.each(STORES)('FT-53: bits that flipped in %s', (kind) => {
  let world: StoredReplicas;

  beforeAll(async () => {
    world = await startStoredReplicas(kind, { ENTREPOT_STORAGE_VERIFY_READS: 'always' });
  });
  afterAll(() => world.remove());

  async function pushRotten(sizeBytes: number): Promise<Content> {
    const { client, replicas, store } = world;
    const content = contentOf('application/octet-stream', randomBytes(sizeBytes));
    await pushBlob({ client, journal: new Journal(), repository: REPOSITORY }, content, 'whole');
    const hex = content.digest.slice('sha256:'.length);
    const [row] = await replicas.query<{ object_key: string }>(
      `SELECT object_key FROM blob WHERE encode(substring(digest from 2), 'hex') = $1`,
      [hex],
    );
    await store.flipBit(row?.object_key ?? '', Math.floor(sizeBytes / 2));
    return content;
  }

  it.each([LARGE_BYTES, SMALL_BYTES])('are never served: a blob of %d bytes', async (sizeBytes) => {
    const { client, registry } = world;
    const content = await pushRotten(sizeBytes);
    const before = await corruptReads(registry);
    const answer = await download({ client, url: registry.url }, REPOSITORY, content.digest);
    expect(['cut', 'refused']).toContain(judge(answer, content));
    expect(await corruptReads(registry)).toBe(before + 1);
    expect(registry.output()).toContain(content.digest);
  });

  it('harm no other blob', async () => {
    const { client, registry } = world;
    const content = contentOf('application/octet-stream', randomBytes(LARGE_BYTES));
    await pushBlob({ client, journal: new Journal(), repository: REPOSITORY }, content, 'whole');
    const answer = await download({ client, url: registry.url }, REPOSITORY, content.digest);
    expect(judge(answer, content)).toBe('right');
  });
});

async function corruptReads({ opsPort }: Entrepot): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  return Number(/^\w*blob_read_failures_total\{[^}]*reason="corrupt"[^}]*\} (\d+)/m.exec(metrics)?.[1]);
}
