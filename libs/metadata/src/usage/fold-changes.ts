import type { FoldStep } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';

/*
 * Folding works on one snapshot (REPEATABLE READ) that is taken once the lock is had. In it, what was folded and what was
 * appended make up exactly what is there: a change and its row in the account become visible at once.
 */

/** To be called first in a transaction. Waits for another folder, and only then sees anything: LOCK TABLE takes no snapshot. */
export async function beginFold(tx: Queryable): Promise<void> {
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; LOCK TABLE usage_total IN EXCLUSIVE MODE');
}

/** Folds at most `limit` changes of each kind, oldest first. The transaction was begun by `beginFold`. */
export async function foldChanges(tx: Queryable, limit: number): Promise<FoldStep> {
  const ofStore = await foldOne(tx, { name: 'fold-store', text: FOLD_STORE, limit });
  const ofManifests = await foldOne(tx, { name: 'fold-manifests', text: FOLD_MANIFESTS, limit });
  const ofLinks = await foldOne(tx, { name: 'fold-links', text: FOLD_LINKS, limit });
  const hasMore = [ofStore, ofManifests, ofLinks].includes(limit);
  const changes = ofStore + ofManifests + ofLinks;
  // A repository takes along what was folded of it, which is what it holds only once nothing is left to be folded.
  if (hasMore) return { changes, hasMore };
  const ofRepositories = await foldOne(tx, { name: 'fold-repositories', text: FOLD_REPOSITORIES, limit: MOVES });
  return { changes: changes + ofRepositories, hasMore: ofRepositories === MOVES };
}

/** Repositories at a time: each may have very many links. */
const MOVES = 100;

async function foldOne(
  tx: Queryable,
  { limit, ...query }: { readonly name: string; readonly text: string; readonly limit: number },
): Promise<number> {
  const { rows } = await tx.query<{ folded: number }>({ ...query, values: [limit] });
  return rows[0]?.folded ?? 0;
}

/** Takes the oldest rows of a table of changes. */
const taken = (table: string): string => `
  taken AS (
    DELETE FROM ${table}
    WHERE id <= (SELECT max(id) FROM (SELECT id FROM ${table} ORDER BY id LIMIT $1) AS oldest)
    RETURNING *)`;

/*
 * Everything is looked up row by row (LATERAL with LIMIT), and nothing that was only just made is joined: its size is not
 * known to the planner, which then reads big tables from end to end, or compares each row with each.
 */

/** `changed` with where its repository is counted. One that is gone and was never counted is not any more. */
const PLACED = `
  placed AS (
    SELECT c.*, coalesce(u.namespace_id, r.namespace_id) AS namespace_id, coalesce(u.is_live, r.is_live) AS is_live
    FROM changed c
    LEFT JOIN LATERAL (
      SELECT namespace_id, is_live FROM usage_repository u WHERE u.repository_id = c.repository_id LIMIT 1) AS u ON true
    LEFT JOIN LATERAL (
      SELECT namespace_id, deleted_at IS NULL AS is_live FROM repository r WHERE r.id = c.repository_id LIMIT 1) AS r ON true
    WHERE coalesce(u.namespace_id, r.namespace_id) IS NOT NULL)`;

/** Adds `placed` (links of a namespace to a blob that came or went) to what each namespace holds. */
const COUNT_LINKS = `
  sized AS (
    SELECT p.repository_id, p.namespace_id, p.is_live, p.digest, p.links, b.place, coalesce(b.links, 0) AS links_before,
      coalesce(p.size_bytes, b.size_bytes) AS size_bytes
    FROM placed p LEFT JOIN LATERAL (
      SELECT ctid AS place, links, size_bytes FROM usage_namespace_blob b
      WHERE b.namespace_id = p.namespace_id AND b.digest = p.digest LIMIT 1) AS b ON true),
  counted AS (
    SELECT namespace_id, digest, min(place) AS place, min(links_before) AS links_before,
      min(links_before) + sum(links) AS links, max(size_bytes) AS size_bytes
    FROM sized GROUP BY namespace_id, digest),
  kept AS (
    INSERT INTO usage_namespace_blob (namespace_id, digest, links, size_bytes)
    SELECT namespace_id, digest, links, size_bytes FROM counted WHERE links > 0
    ON CONFLICT (namespace_id, digest) DO UPDATE SET links = excluded.links),
  dropped AS (
    DELETE FROM usage_namespace_blob WHERE ctid = ANY (ARRAY (SELECT place FROM counted WHERE links = 0))),
  held AS (
    SELECT namespace_id, size_bytes, (links > 0)::integer - (links_before > 0)::integer AS blobs FROM counted)`;

const FOLD_STORE = `
  WITH ${taken('usage_store_delta')},
  added AS (
    SELECT count(*)::integer AS folded, coalesce(sum(blobs), 0) AS blobs, coalesce(sum(size_bytes), 0) AS size_bytes,
      coalesce(sum(freed_objects), 0) AS freed_objects, coalesce(sum(freed_bytes), 0) AS freed_bytes
    FROM taken)
  UPDATE usage_total t
  SET blobs = t.blobs + a.blobs, blob_bytes = t.blob_bytes + a.size_bytes,
    freed_objects = t.freed_objects + a.freed_objects, freed_bytes = t.freed_bytes + a.freed_bytes
  FROM added a WHERE a.folded > 0
  RETURNING a.folded`;

const FOLD_MANIFESTS = `
  WITH ${taken('usage_delta')},
  changed AS (
    SELECT repository_id, sum(manifests) AS manifests, sum(size_bytes) AS logical_bytes, sum(payload_bytes) AS payload_bytes
    FROM taken GROUP BY repository_id),
  ${PLACED},
  repositories AS (
    INSERT INTO usage_repository (repository_id, namespace_id, is_live, manifests, logical_bytes, payload_bytes)
    SELECT repository_id, namespace_id, is_live, manifests, logical_bytes, payload_bytes FROM placed
    ON CONFLICT (repository_id) DO UPDATE SET
      manifests = usage_repository.manifests + excluded.manifests,
      logical_bytes = usage_repository.logical_bytes + excluded.logical_bytes,
      payload_bytes = usage_repository.payload_bytes + excluded.payload_bytes),
  namespaces AS (
    INSERT INTO usage_namespace (namespace_id, manifests, logical_bytes, payload_bytes)
    SELECT namespace_id, sum(manifests * is_live::integer), sum(logical_bytes * is_live::integer), sum(payload_bytes)
    FROM placed GROUP BY namespace_id
    ON CONFLICT (namespace_id) DO UPDATE SET
      manifests = usage_namespace.manifests + excluded.manifests,
      logical_bytes = usage_namespace.logical_bytes + excluded.logical_bytes,
      payload_bytes = usage_namespace.payload_bytes + excluded.payload_bytes)
  SELECT count(*)::integer AS folded FROM taken`;

const FOLD_LINKS = `
  WITH ${taken('usage_link_delta')},
  changed AS (
    SELECT repository_id, digest, sum(links) AS links, max(size_bytes) AS size_bytes FROM taken
    GROUP BY repository_id, digest HAVING sum(links) <> 0),
  ${PLACED},
  ${COUNT_LINKS},
  repositories AS (
    INSERT INTO usage_repository (repository_id, namespace_id, is_live, blobs, blob_bytes)
    SELECT repository_id, namespace_id, is_live, sum(links), sum(links * size_bytes)
    FROM sized GROUP BY repository_id, namespace_id, is_live
    ON CONFLICT (repository_id) DO UPDATE SET
      blobs = usage_repository.blobs + excluded.blobs, blob_bytes = usage_repository.blob_bytes + excluded.blob_bytes),
  namespaces AS (
    INSERT INTO usage_namespace (namespace_id, blobs, blob_bytes)
    SELECT namespace_id, sum(blobs), sum(blobs * size_bytes) FROM held GROUP BY namespace_id
    ON CONFLICT (namespace_id) DO UPDATE SET
      blobs = usage_namespace.blobs + excluded.blobs, blob_bytes = usage_namespace.blob_bytes + excluded.blob_bytes)
  SELECT count(*)::integer AS folded FROM taken`;

/** Everything that was appended is folded: the links of the snapshot are those that were counted. */
const FOLD_REPOSITORIES = `
  WITH ${taken('usage_repository_mark')},
  moved AS (
    SELECT u.*, r.id IS NULL AS is_gone, r.namespace_id AS next_namespace_id,
      r.id IS NOT NULL AND r.deleted_at IS NULL AS is_live_now
    FROM (SELECT DISTINCT repository_id FROM taken) AS t JOIN usage_repository u USING (repository_id)
    LEFT JOIN repository r ON r.id = u.repository_id),
  placed AS (
    SELECT m.repository_id, side.namespace_id, m.is_live, l.digest, side.links, b.size_bytes
    FROM moved m JOIN repository_blob l USING (repository_id)
    JOIN LATERAL (
      SELECT size_bytes FROM usage_namespace_blob b
      WHERE b.namespace_id = m.namespace_id AND b.digest = l.digest LIMIT 1) AS b ON true
    CROSS JOIN LATERAL (VALUES (m.namespace_id, -1), (m.next_namespace_id, 1)) AS side (namespace_id, links)
    WHERE m.next_namespace_id <> m.namespace_id),
  ${COUNT_LINKS},
  parts AS (
    SELECT namespace_id, -manifests * is_live::integer AS manifests, -logical_bytes * is_live::integer AS logical_bytes,
      -payload_bytes AS payload_bytes, 0 AS blobs, 0 AS blob_bytes FROM moved
    UNION ALL
    SELECT next_namespace_id, manifests * is_live_now::integer, logical_bytes * is_live_now::integer, payload_bytes, 0, 0
    FROM moved WHERE NOT is_gone
    UNION ALL SELECT namespace_id, 0, 0, 0, blobs, blobs * size_bytes FROM held),
  namespaces AS (
    INSERT INTO usage_namespace (namespace_id, manifests, logical_bytes, payload_bytes, blobs, blob_bytes)
    SELECT namespace_id, sum(manifests), sum(logical_bytes), sum(payload_bytes), sum(blobs), sum(blob_bytes)
    FROM parts GROUP BY namespace_id
    ON CONFLICT (namespace_id) DO UPDATE SET
      manifests = usage_namespace.manifests + excluded.manifests,
      logical_bytes = usage_namespace.logical_bytes + excluded.logical_bytes,
      payload_bytes = usage_namespace.payload_bytes + excluded.payload_bytes,
      blobs = usage_namespace.blobs + excluded.blobs, blob_bytes = usage_namespace.blob_bytes + excluded.blob_bytes),
  relocated AS (
    UPDATE usage_repository u SET namespace_id = m.next_namespace_id, is_live = m.is_live_now
    FROM moved m WHERE u.repository_id = m.repository_id AND NOT m.is_gone),
  forgotten AS (
    DELETE FROM usage_repository u USING moved m WHERE u.repository_id = m.repository_id AND m.is_gone)
  SELECT count(*)::integer AS folded FROM taken`;
