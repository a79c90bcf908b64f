import { digestText } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

/** Rows of manifests that go together. */
export interface ManifestsRemoval {
  readonly ids: readonly string[];
  /** How long what they named is safe from the next look. */
  readonly graceMs: number;
  /** What they named is looked at now, whatever was promised to clients: it has to go. */
  readonly breaksPromises?: boolean;
}

export interface RemovedManifest {
  readonly repository_id: string;
  /** As people write it. */
  readonly digest: string;
}

/**
 * Removes manifests for good that nothing points at and that are locked, with all their references. What those named, their
 * referrers and their subjects are owed a review. Waits for no link: its review comes later and locks it.
 */
export async function removeManifests(tx: Queryable, removal: ManifestsRemoval): Promise<RemovedManifest[]> {
  const { ids } = removal;
  await oweKin(tx, ids);
  await removeReferences(tx, removal);
  await forgetManifests(tx, ids);
  const { rows } = await tx.query<RemovedManifest>({
    name: 'remove-manifests',
    text: `
      DELETE FROM manifest WHERE id = ANY ($1::bigint[])
      RETURNING repository_id, ${digestText('digest')} AS digest`,
    values: [ids],
  });
  return rows;
}

/**
 * Referrers lose their subject, and subjects a referrer that they may have lived by. A subject that has a task keeps it: DO
 * UPDATE, since a reviewer that is about to drop it must not swallow this one.
 */
async function oweKin(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'owe-referrers',
    text: `
      INSERT INTO manifest_review (manifest_id, reason, due_at, orphaned_at)
      SELECT r.id, 'subject removed', now(), now() FROM manifest m
      JOIN manifest r ON r.repository_id = m.repository_id AND r.subject_digest = m.digest
      WHERE m.id = ANY ($1::bigint[]) AND r.id <> ALL ($1::bigint[]) ORDER BY r.id FOR KEY SHARE OF r
      ON CONFLICT (manifest_id) DO UPDATE
        SET reason = excluded.reason, due_at = excluded.due_at, orphaned_at = excluded.orphaned_at`,
    values: [ids],
  });
  await tx.query({
    name: 'owe-subjects',
    text: `
      WITH subject AS (
        SELECT DISTINCT s.id FROM manifest m
        JOIN manifest s ON s.repository_id = m.repository_id AND s.digest = m.subject_digest
        WHERE m.id = ANY ($1::bigint[]) AND s.id <> ALL ($1::bigint[])
          AND NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = s.id))
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'referrer removed', now() FROM manifest m JOIN subject USING (id) ORDER BY m.id FOR KEY SHARE OF m
      ON CONFLICT (manifest_id) DO UPDATE SET due_at = manifest_review.due_at`,
    values: [ids],
  });
}

/** Removes what the manifests refer to, and owes it a review. Resolves with the bytes of the blobs that they named. */
export async function removeReferences(tx: Queryable, removal: ManifestsRemoval): Promise<number> {
  const { ids, graceMs, breaksPromises = false } = removal;
  const { rows } = await tx.query<{ bytes: string }>({
    name: 'remove-references',
    text: `
      WITH blobs AS (
        DELETE FROM manifest_blob WHERE manifest_id = ANY ($1::bigint[]) RETURNING repository_id, digest, size_bytes),
      awaited AS (
        DELETE FROM sparse_reference WHERE manifest_id = ANY ($1) RETURNING repository_id, digest, kind, size_bytes),
      children AS (
        DELETE FROM manifest_child WHERE parent_id = ANY ($1) RETURNING child_id),
      links AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT repository_id, digest, 'manifest removed', now() + $2 * interval '1 millisecond' FROM (
          SELECT repository_id, digest FROM blobs
          UNION SELECT a.repository_id, a.digest FROM awaited a JOIN repository_blob l USING (repository_id, digest)) AS named
        ORDER BY repository_id, digest
        ON CONFLICT (repository_id, digest) DO UPDATE SET reason = excluded.reason,
          due_at = CASE WHEN $3 THEN excluded.due_at ELSE greatest(link_review.due_at, excluded.due_at) END),
      entry AS (
        SELECT child_id AS id FROM children
        UNION SELECT m.id FROM awaited a JOIN manifest m ON m.repository_id = a.repository_id AND m.digest = a.digest),
      held AS (
        SELECT m.id FROM manifest m JOIN entry USING (id) WHERE m.id <> ALL ($1) ORDER BY m.id FOR KEY SHARE OF m),
      entries AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at)
        SELECT id, 'parent removed', now() + $2 * interval '1 millisecond' FROM held
        ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at)
      SELECT coalesce(sum(size_bytes), 0) AS bytes FROM (
        SELECT size_bytes FROM blobs UNION ALL SELECT size_bytes FROM awaited WHERE kind = 'blob') AS named`,
    values: [ids, graceMs, breaksPromises],
  });
  return Number(rows[0]?.bytes ?? 0);
}

/** What is kept beside a manifest and holds nothing. Marks of use that are left are dropped when they are folded. */
export async function forgetManifests(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'forget-manifests',
    text: `
      WITH review AS (DELETE FROM manifest_review WHERE manifest_id = ANY ($1::bigint[]))
      DELETE FROM manifest_use WHERE manifest_id = ANY ($1)`,
    values: [ids],
  });
}
