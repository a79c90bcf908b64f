import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

/** A manifest, with what its rows say that it names. */
export interface WalkedManifest {
  readonly id: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly payload: Buffer;
  /** Blobs and manifests, those of a sparse push that are awaited included. */
  readonly references: readonly Digest[];
}

interface ManifestRow {
  readonly id: string;
  readonly repository: string;
  readonly digest: Buffer;
  readonly media_type: string;
  readonly payload: Buffer;
  readonly named: Buffer[];
}

/** Manifests that are not deleted, behind the row id `after`, in the order of ids. */
export async function walkManifests(
  pool: pg.Pool,
  page: { readonly after: string; readonly limit: number },
): Promise<WalkedManifest[]> {
  const rows = await repeatRows<ManifestRow>(pool, {
    name: 'walk-manifests',
    text: `
      SELECT m.id, r.name AS repository, m.digest, m.media_type, m.payload, ARRAY (
        SELECT digest FROM manifest_blob WHERE manifest_id = m.id
        UNION SELECT digest FROM sparse_reference WHERE manifest_id = m.id
        UNION SELECT c.digest FROM manifest_child e JOIN manifest c ON c.id = e.child_id WHERE e.parent_id = m.id) AS named
      FROM manifest m JOIN repository r ON r.id = m.repository_id
      WHERE m.id > $1 AND m.deleted_at IS NULL AND r.deleted_at IS NULL ORDER BY m.id LIMIT $2`,
    values: [page.after, page.limit],
  });
  return rows.map(({ named, digest, media_type: mediaType, ...row }) => ({
    ...row,
    mediaType,
    digest: digestFromBytes(digest),
    references: named.map(digestFromBytes),
  }));
}
