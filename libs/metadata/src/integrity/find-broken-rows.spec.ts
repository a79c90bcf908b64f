import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf, indexOf } from '../content/content-world.suite.js';
import { digestBytes } from '../database/digest-bytes.js';
import { findBrokenRows, migrate, type BrokenRow } from '../index.js';
import { INVARIANTS } from './invariants.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const GRACE_MS = 60_000;

let world: ContentWorld;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
});

afterEach(async () => {
  await world.owner.query(
    `TRUNCATE repository, blob, doomed_object, upload, manifest_review, link_review, blob_review,
       usage_repository, usage_namespace, usage_namespace_blob CASCADE`,
  );
  await world.owner.query('DELETE FROM usage_link_delta; DELETE FROM usage_store_delta; DELETE FROM usage_delta');
  await world.owner.query('UPDATE usage_total SET blobs = 0, blob_bytes = 0');
  await world.close();
});

async function look(repairs = false): Promise<BrokenRow[]> {
  const found: BrokenRow[] = [];
  for await (const row of findBrokenRows(world.jobs, { repairs, graceMs: GRACE_MS })) found.push(row);
  return found;
}

/** The accounts of what was changed behind the product's back differ as well. */
const ofKind = (rows: readonly BrokenRow[]) => rows.filter((row) => row.kind !== 'usage-differs');

const query = (text: string, values: unknown[] = []) => world.owner.query(text, values);

async function pushImage(): Promise<ReturnType<typeof imageOf>> {
  const digest = await world.pushBlob('layer');
  const image = imageOf([[digest, 5]]);
  await world.put(image);
  return image;
}

/** What is wrong, by how it is made so; what `mend` cannot put right is left out of the second list. */
const PLANTED: Readonly<Record<string, () => Promise<Digest | undefined>>> = {
  'blob-doomed': async () => {
    const digest = await world.pushBlob('needed');
    await query(`INSERT INTO doomed_object (object_key, reason) SELECT object_key, 'spec' FROM blob`);
    return digest;
  },
  'upload-doomed': async () => {
    await world.begin();
    await query(`INSERT INTO doomed_object (object_key, reason) SELECT object_key, 'spec' FROM upload`);
    return undefined;
  },
  'deleted-repository-uploads': async () => {
    await world.begin();
    await query('UPDATE repository SET deleted_at = now(), deleted_name = name WHERE id = $1', [world.repositoryId]);
    return undefined;
  },
  'tag-dangling': async () => {
    const image = imageOf([[await world.pushBlob('layer'), 5]]);
    await world.put(image, ['latest']);
    await query('UPDATE manifest SET deleted_at = now()');
    return image.digest;
  },
  'index-entry-missing': async () => {
    const image = await pushImage();
    await world.put(indexOf(image), ['latest']);
    await query('UPDATE manifest SET deleted_at = now() WHERE digest = $1', [digestBytes(image.digest)]);
    return image.digest;
  },
  'manifest-without-review': async () => {
    const { digest } = await pushImage();
    await query('DELETE FROM manifest_review');
    return digest;
  },
  'blob-size-differs': async () => {
    await pushImage();
    await query('UPDATE manifest_blob SET size_bytes = 6');
    return world.pushBlob('layer');
  },
  'blob-unlinked-without-review': async () => {
    const digest = await world.pushBlob('nobody has it');
    await query('DELETE FROM repository_blob; DELETE FROM link_review; DELETE FROM blob_review');
    return digest;
  },
  'link-unreferenced-without-review': async () => {
    const digest = await world.pushBlob('nobody needs it');
    await query('DELETE FROM link_review; DELETE FROM blob_review');
    return digest;
  },
};

describe('rows that contradict others', () => {
  it('are none where all went its way', async () => {
    const image = await pushImage();
    await world.put(indexOf(image), ['latest']);
    await world.put(imageOf([[await world.pushBlob('signature'), 9]], image));
    await world.begin();
    expect(await look()).toEqual([]);
  });

  it('are planted below, one for each invariant', () => {
    expect(Object.keys(PLANTED).toSorted()).toEqual(INVARIANTS.map(({ kind }) => kind).toSorted());
  });

  it.each(INVARIANTS)('are found, and mended where they can be: $kind', async ({ kind, mend }) => {
    const digest = await PLANTED[kind]?.();
    const found = { kind, ...(digest !== undefined && { digest }) };
    expect(ofKind(await look())).toEqual([expect.objectContaining({ ...found, isRepaired: false })]);
    expect(ofKind(await look(true))).toEqual([expect.objectContaining({ ...found, isRepaired: mend !== undefined })]);
    expect(ofKind(await look())).toHaveLength(mend === undefined ? 1 : 0);
  });

  it('give what they forgot the grace time', async () => {
    await PLANTED['link-unreferenced-without-review']?.();
    await look(true);
    const { rows } = await query(`SELECT due_at > now() + interval '50 seconds' AS has_grace FROM link_review`);
    expect(rows).toEqual([{ has_grace: true }]);
  });

  it('are accounts that differ from a recount, too', async () => {
    await pushImage();
    await look();
    await query('UPDATE usage_total SET blob_bytes = blob_bytes + 1');
    expect(await look(true)).toEqual([expect.objectContaining({ kind: 'usage-differs', isRepaired: false })]);
  });
});
