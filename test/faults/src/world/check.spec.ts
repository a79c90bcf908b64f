import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from './check.js';
import { Journal } from './journal.js';
import { pushImage } from './push.js';
import { connect } from './target.js';

/** Larger than what may be kept elsewhere than in a file. */
const LAYER_BYTES = 512 * 1024;

describe('checkJournal', () => {
  let product: Entrepot;
  beforeAll(async () => {
    product = await startEntrepot();
  });
  afterAll(() => product.remove());

  it('finds a lost manifest, a tag that moved and a blob with other bytes', async () => {
    const journal = new Journal();
    const client = connect(product);
    const bench = { client, journal, repository: 'admin/checked' };
    const image = buildImage({ layers: [randomBytes(LAYER_BYTES)] });
    await pushImage(bench, { image, tag: 'kept', way: 'chunked' });
    expect(await checkJournal(product, journal)).toEqual([]);

    const other = buildImage({ layers: [randomBytes(1)] });
    await pushImage({ ...bench, journal: new Journal() }, { image: other, tag: 'kept', way: 'whole' });
    await client.send({ method: 'DELETE', path: `/v2/admin/checked/manifests/${image.manifest.digest}` });
    await damageFile(join(product.dataDirectory, 'storage'), LAYER_BYTES);
    client.close();

    const found = await checkJournal(product, journal);
    expect(found).toHaveLength(3);
    expect(found).toContainEqual(
      expect.stringContaining(`/blobs/${image.layers[0]?.digest}: ${LAYER_BYTES} other bytes`),
    );
    expect(found).toContainEqual(expect.stringContaining(`/manifests/${image.manifest.digest}: 404`));
    expect(found).toContainEqual(expect.stringContaining(`/manifests/kept is ${other.manifest.digest}`));
  });
});

/** Turns one bit of the file of that size. */
async function damageFile(directory: string, sizeBytes: number): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.length !== sizeBytes) continue;
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
}
