import type { InsertedManifest, ManifestReferences, NewManifest } from '@entrepot/content';
import { digestBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

/** DO UPDATE: waits for a removal under way instead of seeing a row that is about to go. */
export async function insertManifest(tx: Queryable, manifest: NewManifest): Promise<InsertedManifest> {
  const { rows } = await tx.query<{ id: string; media_type: string; is_new: boolean }>({
    name: 'insert-manifest',
    text: `
      INSERT INTO manifest (repository_id, digest, media_type, artifact_type, payload, subject_digest, annotations, pushed_by)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
      ON CONFLICT (repository_id, digest) DO UPDATE SET pushed_at = now()
      RETURNING id, media_type, xmax = 0 AS is_new`,
    values: [
      manifest.repositoryId,
      digestBytes(manifest.digest),
      manifest.mediaType,
      manifest.artifactType ?? null,
      manifest.payload,
      manifest.subject ? digestBytes(manifest.subject) : null,
      manifest.annotations ? JSON.stringify(manifest.annotations) : null,
      manifest.pushedBy,
    ],
  });
  const [row] = rows;
  if (!row) throw new Error('the manifest upsert returned no row');
  return { id: row.id, mediaType: row.media_type, isNew: row.is_new };
}

/** References of a new manifest, and those that sparse parents were waiting to make to it. */
export async function insertReferences(tx: Queryable, references: ManifestReferences): Promise<void> {
  const { manifestId, repositoryId, blobs, childIds, missing } = references;
  await tx.query({
    name: 'insert-references',
    text: `
      WITH blobs AS (
        INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
        SELECT $1, $2, digest, size_bytes FROM unnest($3::bytea[], $4::bigint[]) AS b (digest, size_bytes)
        ORDER BY digest),
      children AS (
        INSERT INTO manifest_child (parent_id, child_id)
        SELECT $1, id FROM unnest($5::bigint[]) AS c (id) ORDER BY id),
      awaited AS (
        DELETE FROM sparse_reference s USING manifest m
        WHERE m.id = $1 AND s.repository_id = $2 AND s.digest = m.digest AND s.kind = 'manifest'
        RETURNING s.manifest_id),
      parents AS (
        INSERT INTO manifest_child (parent_id, child_id) SELECT manifest_id, $1 FROM awaited)
      INSERT INTO sparse_reference (repository_id, digest, manifest_id, kind, size_bytes)
      SELECT $2, digest, $1, kind, size_bytes
      FROM unnest($6::bytea[], $7::text[], $8::bigint[]) AS s (digest, kind, size_bytes)`,
    values: [
      manifestId,
      repositoryId,
      blobs.map((blob) => digestBytes(blob.digest)),
      blobs.map((blob) => blob.sizeBytes),
      childIds,
      missing.map(({ descriptor }) => digestBytes(descriptor.digest)),
      missing.map(({ kind }) => kind),
      missing.map(({ descriptor }) => descriptor.sizeBytes),
    ],
  });
}
