import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, contentOf } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { pushBlob, pushImage } from '../world/push.js';
import { mountSmallDisk, type SmallDisk } from '../world/small-disk.js';
import { connect } from '../world/target.js';

const DISK_BYTES = 384 * 1024 * 1024;
const LEFT_BYTES = 4 * 1024 * 1024;
const BLOB_BYTES = 8 * 1024 * 1024;
const RECOVERY_MS = 15_000;
const POLL_MS = 100;

/** The space that is left alone is a setting; without it the disk itself says that it is full. */
const RESERVES = ['100MiB', '0B'];

describe.skipIf(process.getuid?.() !== 0).each(RESERVES)('a disk that fills up, with %s left alone', (reserve) => {
  let disk: SmallDisk;
  let product: Entrepot;
  let client: RegistryClient;
  beforeAll(async () => {
    disk = mountSmallDisk({ sizeBytes: DISK_BYTES });
    const settings = { ENTREPOT_DATA_MIN_FREE: '0B', ENTREPOT_STORAGE_MIN_FREE: reserve };
    product = await startEntrepot({ dataDirectory: join(disk.directory, 'data'), settings });
    client = connect(product);
  });
  afterAll(async () => {
    client.close();
    await product.remove();
    disk.remove();
  });

  it('refuses what does not fit, serves what it holds, and goes on when there is space', async () => {
    const bench = { client, journal: new Journal(), repository: 'admin/full' };
    await pushImage(bench, { image: buildImage({ layers: [randomBytes(BLOB_BYTES)] }), tag: 'first', way: 'streamed' });

    const ballast = join(disk.directory, 'ballast');
    const { bavail, bsize } = statfsSync(disk.directory);
    spawnSync('fallocate', ['-l', String(bavail * bsize - LEFT_BYTES), ballast]);
    const { digest, bytes } = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    const path = `/v2/admin/full/blobs/uploads/?digest=${digest}`;
    const refused = await client.send({ method: 'POST', path, body: bytes });
    console.log(`on a full disk: ${refused.status} ${refused.body}`);
    expect(refused.status).toBe(503);
    expect(refused.body.toString()).toContain('the storage of the registry is full');
    expect(await checkJournal(product, bench.journal)).toEqual([]);

    rmSync(ballast);
    await untilPushed(() => pushBlob(bench, contentOf('application/octet-stream', bytes), 'whole'));
    expect(await checkJournal(product, bench.journal)).toEqual([]);
  });
});

async function untilPushed(push: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + RECOVERY_MS; ; await delay(POLL_MS)) {
    try {
      return await push();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
