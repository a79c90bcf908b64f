import type { Queryable } from '../database/unit-of-work.js';
import { forgetManifests } from './remove-manifests.js';

/** What one step removed of a deleted repository. */
export interface RepositoryChunk {
  readonly manifests: number;
  readonly links: number;
  /** Nothing of it is left. */
  readonly isGone: boolean;
}

/** Rows that belong to the repository, $1, and hold nothing; the bytes of uploads that are left are doomed. */
const REST = [
  'DELETE FROM link_review WHERE repository_id = $1',
  `WITH ended AS (DELETE FROM upload WHERE repository_id = $1 RETURNING object_key, offset_bytes)
   INSERT INTO doomed_object (object_key, reason, size_bytes)
   SELECT object_key, 'repository removed', offset_bytes FROM ended`,
  'DELETE FROM access_grant WHERE repository_id = $1',
  `WITH gone AS (DELETE FROM repository WHERE id = $1 RETURNING id, coalesce(deleted_name, name) AS name)
   INSERT INTO audit_event (actor_name, action, target, detail)
   SELECT 'gc', 'repository.removed', name, jsonb_build_object('repositoryId', id) FROM gone`,
];
const HISTORY_PAGE = 5000;

/**
 * Takes a deleted repository whose undo is over, for this transaction; others take another one. From the first time on it
 * cannot be restored, for then something is missing.
 */
export async function takeRepository(
  tx: Queryable,
  undoMs: number,
  except: readonly string[],
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'take-deleted-repository',
    text: `
      WITH taken AS (
        SELECT id FROM repository
        WHERE deleted_at <= now() - $1 * interval '1 millisecond' AND id <> ALL ($2::uuid[])
        ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      UPDATE repository r SET removal_began_at = coalesce(removal_began_at, now()) FROM taken t WHERE r.id = t.id
      RETURNING r.id`,
    values: [undoMs, except],
  });
  return rows[0]?.id;
}

/** Removes at most `limit` manifests of the repository, or as many links where there is none, or else what is left. */
export async function removeRepositoryChunk(tx: Queryable, id: string, limit: number): Promise<RepositoryChunk> {
  const manifests = await removeManifestsOf(tx, id, limit);
  if (manifests > 0) return { manifests, links: 0, isGone: false };
  const links = await removeLinksOf(tx, id, limit);
  if (links > 0) return { manifests: 0, links, isGone: false };
  const { rowCount } = await tx.query({
    name: 'remove-history-of',
    text: `
      DELETE FROM tag_history WHERE id IN (
        SELECT id FROM tag_history WHERE repository_id = $1 ORDER BY name, id LIMIT $2)`,
    values: [id, HISTORY_PAGE],
  });
  if (rowCount === HISTORY_PAGE) return { manifests: 0, links: 0, isGone: false };
  for (const statement of REST) await tx.query(statement, [id]);
  return { manifests: 0, links: 0, isGone: true };
}

/** Nobody asks who refers to what: all of it goes. */
async function removeManifestsOf(tx: Queryable, repositoryId: string, limit: number): Promise<number> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'manifests-of-repository',
    text: 'SELECT id FROM manifest WHERE repository_id = $1 ORDER BY digest LIMIT $2',
    values: [repositoryId, limit],
  });
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return 0;
  await tx.query({
    name: 'remove-references-of-repository',
    text: `
      WITH tags AS (DELETE FROM tag WHERE manifest_id = ANY ($1::bigint[])),
      blobs AS (DELETE FROM manifest_blob WHERE manifest_id = ANY ($1)),
      awaited AS (DELETE FROM sparse_reference WHERE manifest_id = ANY ($1))
      DELETE FROM manifest_child WHERE parent_id = ANY ($1) OR child_id = ANY ($1)`,
    values: [ids],
  });
  await forgetManifests(tx, ids);
  await tx.query({
    name: 'remove-manifests-of-repository',
    text: 'DELETE FROM manifest WHERE id = ANY ($1::bigint[])',
    values: [ids],
  });
  return ids.length;
}

async function removeLinksOf(tx: Queryable, repositoryId: string, limit: number): Promise<number> {
  const { rows } = await tx.query<{ links: number }>({
    name: 'remove-links-of-repository',
    text: `
      WITH page AS (
        SELECT digest FROM repository_blob WHERE repository_id = $1 ORDER BY digest LIMIT $2 FOR UPDATE),
      gone AS (
        DELETE FROM repository_blob l USING page p WHERE l.repository_id = $1 AND l.digest = p.digest RETURNING l.digest),
      tasks AS (DELETE FROM link_review t USING page p WHERE t.repository_id = $1 AND t.digest = p.digest),
      owed AS (
        INSERT INTO blob_review (digest, reason, due_at) SELECT digest, 'unlinked', now() FROM gone ORDER BY digest
        ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at)
      SELECT count(*)::int AS links FROM gone`,
    values: [repositoryId, limit],
  });
  return rows[0]?.links ?? 0;
}
