import type { ObjectKey, StoredBlob, StoredManifest } from '@entrepot/content';
import type { Digest, Tag } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { inOrder } from '../database/in-order.js';
import { repeatRows } from '../database/unit-of-work.js';
import { SERVED_LINK } from './served-link.js';

/** A tag or digest within one repository. */
export interface InRepository<T> {
  readonly repositoryId: string;
  readonly key: T;
}

interface ManifestRow {
  readonly ord: number;
  readonly id: string;
  readonly digest: Buffer;
  readonly media_type: string;
  readonly payload: Buffer;
}

/** Manifests that tags of repositories point at, in the order of the keys. */
export async function findManifestsByTag(
  pool: pg.Pool,
  keys: readonly InRepository<Tag>[],
): Promise<(StoredManifest | undefined)[]> {
  const rows = await repeatRows<ManifestRow>(pool, {
    name: 'manifests-by-tag',
    text: `
      SELECT q.ord::int4, m.id, m.digest, m.media_type, m.payload
      FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS q (repository_id, name, ord)
      JOIN repository r ON r.id = q.repository_id AND r.deleted_at IS NULL
      JOIN tag t ON t.repository_id = q.repository_id AND t.name = q.name
      JOIN manifest m ON m.id = t.manifest_id`,
    values: [keys.map((key) => key.repositoryId), keys.map((key) => key.key)],
  });
  return inOrder(keys.length, rows, toManifest);
}

/** Manifests of repositories by digest, in the order of the keys. */
export async function findManifestsByDigest(
  pool: pg.Pool,
  keys: readonly InRepository<Digest>[],
): Promise<(StoredManifest | undefined)[]> {
  const rows = await repeatRows<ManifestRow>(pool, {
    name: 'manifests-by-digest',
    text: `
      SELECT q.ord::int4, m.id, m.digest, m.media_type, m.payload
      FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS q (repository_id, digest, ord)
      JOIN repository r ON r.id = q.repository_id AND r.deleted_at IS NULL
      JOIN manifest m ON m.repository_id = q.repository_id AND m.digest = q.digest AND m.deleted_at IS NULL`,
    values: [keys.map((key) => key.repositoryId), keys.map((key) => digestBytes(key.key))],
  });
  return inOrder(keys.length, rows, toManifest);
}

/** Blobs that repositories hold, in the order of the keys. */
export async function findBlobs(
  pool: pg.Pool,
  keys: readonly InRepository<Digest>[],
): Promise<(StoredBlob | undefined)[]> {
  const rows = await repeatRows<{ ord: number; object_key: ObjectKey; size_bytes: string }>(pool, {
    name: 'blobs',
    text: `
      SELECT q.ord::int4, b.object_key, b.size_bytes
      FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS q (repository_id, digest, ord)
      JOIN repository r ON r.id = q.repository_id AND r.deleted_at IS NULL
      JOIN repository_blob l ON l.repository_id = q.repository_id AND l.digest = q.digest AND ${SERVED_LINK}
      JOIN blob b ON b.digest = l.digest AND b.fault IS NULL`,
    values: [keys.map((key) => key.repositoryId), keys.map((key) => digestBytes(key.key))],
  });
  return inOrder(keys.length, rows, (row) => ({ objectKey: row.object_key, sizeBytes: Number(row.size_bytes) }));
}

function toManifest(row: ManifestRow): StoredManifest {
  return { id: row.id, digest: digestFromBytes(row.digest), mediaType: row.media_type, payload: row.payload };
}
