import { RepositoryGone, type InsertedManifest, type ManifestReferences, type NewManifest } from '@entrepot/content';
import { digestBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

interface InsertedRow {
  readonly id: string;
  readonly media_type: string;
  readonly is_new: boolean;
  readonly was_deleted: boolean;
}

/**
 * DO UPDATE: waits for a removal under way instead of seeing a row that is about to go. The repository's row is held against
 * its deletion, which the foreign key alone would not see.
 */
export async function insertManifest(tx: Queryable, manifest: NewManifest): Promise<InsertedManifest> {
  const { rows } = await tx.query<InsertedRow>({
    name: 'insert-manifest',
    text: `
      INSERT INTO manifest (repository_id, digest, media_type, artifact_type, payload, subject_digest, annotations, pushed_by)
      SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM repository WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE
      ON CONFLICT (repository_id, digest) DO UPDATE SET pushed_at = now()
      RETURNING id, media_type, xmax = 0 AS is_new, deleted_at IS NOT NULL AS was_deleted`,
    values: [
      manifest.repositoryId,
      digestBytes(manifest.digest),
      manifest.mediaType,
      manifest.artifactType ?? null,
      manifest.payload,
      ...referrerValues(manifest),
      manifest.pushedBy ?? null,
    ],
  });
  const [row] = rows;
  if (!row) throw new RepositoryGone('the repository was deleted');
  const { id, media_type: mediaType, is_new: isNew, was_deleted: wasDeleted } = row;
  if (!wasDeleted) return { id, mediaType, isNew, wasDeleted };
  await bringBack(tx, id, manifest);
  return { id, mediaType: manifest.mediaType, isNew: true, wasDeleted };
}

/** The row is locked. It begins anew, as the row of a manifest that was never here would. */
async function bringBack(tx: Queryable, id: string, manifest: NewManifest): Promise<void> {
  const { mediaType, artifactType, pushedBy } = manifest;
  await tx.query({
    name: 'bring-manifest-back',
    text: `
      UPDATE manifest SET deleted_at = NULL, deleted_by = NULL, media_type = $2, artifact_type = $3,
        subject_digest = $4, annotations = $5, pushed_by = $6
      WHERE id = $1`,
    values: [id, mediaType, artifactType ?? null, ...referrerValues(manifest), pushedBy ?? null],
  });
}

function referrerValues({ subject, annotations }: NewManifest): unknown[] {
  return [subject ? digestBytes(subject) : null, annotations ? JSON.stringify(annotations) : null];
}

/**
 * References of a new manifest, and those that sparse parents were waiting to make to it. A blob of its digest was held by these as
 * well, and is owed a review.
 */
export async function insertReferences(tx: Queryable, references: ManifestReferences): Promise<void> {
  const { manifestId, repositoryId, blobs, childIds, missing, graceMs } = references;
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
        RETURNING s.manifest_id, s.digest),
      unawaited AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT DISTINCT l.repository_id, l.digest, 'came as a manifest', now() + $9 * interval '1 millisecond'
        FROM awaited a JOIN repository_blob l ON l.repository_id = $2 AND l.digest = a.digest
        ON CONFLICT (repository_id, digest) DO UPDATE SET due_at = greatest(link_review.due_at, excluded.due_at)),
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
      graceMs,
    ],
  });
}
