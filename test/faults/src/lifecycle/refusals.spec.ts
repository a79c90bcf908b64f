import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEntrepot } from '@entrepot/testkit/entrepot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountSmallDisk, type SmallDisk } from '../world/small-disk.js';

/** Exit codes that `apps/cli/src/exit-codes.ts` documents. */
const ADDRESS = 71;
const DIRECTORY = 73;
const DISK_FULL = 74;
const OWNED = 75;

/** How a start ended, and what it wrote. */
async function refusalOf(options: Parameters<typeof startEntrepot>[0]): Promise<string> {
  return startEntrepot(options).then(
    (product) => product.remove().then(() => 'it started'),
    (error: Error) => error.message,
  );
}

describe('a start that cannot be', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'entrepot-refusals-'));
    chmodSync(directory, 0o711);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const said = await refusalOf({ settings: { ENTREPOT_HTTP_PORT: String(port) } });
    server.close();
    expect(said).toContain(`ended with ${ADDRESS}`);
    expect(said).toMatch(new RegExp(`^entrepot: .*${port}.*ENTREPOT_HTTP_PORT`, 'm'));
  });

  it('says that another instance owns the directory, and leaves that one alone', async () => {
    const owner = await startEntrepot();
    try {
      const said = await refusalOf({ dataDirectory: owner.dataDirectory });
      expect(said).toContain(`ended with ${OWNED}`);
      expect(said).toMatch(
        new RegExp(`^entrepot: another instance \\(pid ${owner.pid}\\) owns .*ENTREPOT_DATA_DIR`, 'm'),
      );
      expect((await fetch(`${owner.url}/readyz`)).status).toBe(200);
    } finally {
      await owner.remove();
    }
  });

  it('says that the directory cannot be made', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const said = await refusalOf({ dataDirectory: join(file, 'data') });
    expect(said).toContain(`ended with ${DIRECTORY}`);
    expect(said).toMatch(/^entrepot: the data directory .* is not writable .*ENTREPOT_DATA_DIR/m);
  });
});

describe.skipIf(process.getuid?.() !== 0)('a small disk', () => {
  let disk: SmallDisk;
  beforeAll(() => {
    disk = mountSmallDisk({ sizeBytes: 64 * 1024 * 1024 });
  });
  afterAll(() => disk.remove());

  it('is told to be too small before anything is made on it', async () => {
    const said = await refusalOf({ dataDirectory: join(disk.directory, 'data') });
    expect(said).toContain(`ended with ${DISK_FULL}`);
    expect(said).toMatch(/^entrepot: the disk of .* is full: .*ENTREPOT_DATA_DIR/m);
  });

  it('is told to be full where Postgres finds no space', async () => {
    spawnSync('fallocate', ['-l', '50M', join(disk.directory, 'ballast')]);
    const settings = { ENTREPOT_DATA_MIN_FREE: '0B' };
    const said = await refusalOf({ dataDirectory: join(disk.directory, 'data'), settings });
    expect(said).toContain(`ended with ${DISK_FULL}`);
    expect(said).toMatch(/^entrepot: .*full/m);
  });
});
