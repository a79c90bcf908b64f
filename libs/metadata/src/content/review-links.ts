import type { Queryable } from '../database/unit-of-work.js';
import { POSTPONED, type ReviewKind } from './review-batches.js';

export interface LinkKey {
  readonly repository_id: string;
  readonly digest: Buffer;
}

/** Reviews of links from repositories to blobs. */
export const LINK_REVIEWS: ReviewKind<LinkKey> = {
  name: 'Links',
  take: takeLinks,
  decide: decideLinks,
  postpone: postponeLink,
  describe: ({ repository_id: id, digest }) => `link ${id} ${digest.toString('hex')}`,
};

export async function takeLinks(tx: Queryable, limit: number): Promise<LinkKey[]> {
  const { rows } = await tx.query<LinkKey>({
    name: 'take-link-reviews',
    text: `
      SELECT repository_id, digest FROM link_review WHERE due_at <= now()
      ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
    values: [limit],
  });
  return rows;
}

/**
 * Locks the links, then looks who needs them: a push holds a link by its foreign key. One that is locked now is looked at a
 * second later; a task whose link is gone is dropped.
 */
export async function decideLinks(tx: Queryable, keys: readonly LinkKey[]): Promise<number> {
  const locked = await lockLinks(tx, keys);
  const { rows } = await tx.query<{ removed: number }>({
    name: 'decide-links',
    text: `
      WITH task AS (SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS t (repository_id, digest)),
      locked AS (SELECT * FROM unnest($3::uuid[], $4::bytea[]) AS l (repository_id, digest)),
      gone AS (
        DELETE FROM repository_blob l USING locked h
        WHERE l.repository_id = h.repository_id AND l.digest = h.digest
          AND NOT EXISTS (SELECT FROM manifest_blob b WHERE b.repository_id = h.repository_id AND b.digest = h.digest)
          AND NOT EXISTS (SELECT FROM sparse_reference s WHERE s.repository_id = h.repository_id AND s.digest = h.digest)
        RETURNING l.repository_id, l.digest),
      owed AS (
        INSERT INTO blob_review (digest, reason, due_at)
        SELECT DISTINCT digest, 'unlinked', now() FROM gone ORDER BY digest
        ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at),
      audit AS (
        INSERT INTO audit_event (actor_name, action, target, detail)
        SELECT 'gc', 'link.removed', r.name, jsonb_build_object('links', count(*))
        FROM gone g JOIN repository r ON r.id = g.repository_id GROUP BY r.name),
      elsewhere AS (
        SELECT t.* FROM task t
        WHERE EXISTS (SELECT FROM repository_blob l WHERE l.repository_id = t.repository_id AND l.digest = t.digest)
          AND NOT EXISTS (SELECT FROM locked h WHERE h.repository_id = t.repository_id AND h.digest = t.digest)),
      later AS (
        UPDATE link_review r SET due_at = now() + interval '1 second' FROM elsewhere e
        WHERE r.repository_id = e.repository_id AND r.digest = e.digest),
      dropped AS (
        DELETE FROM link_review r USING task t
        WHERE r.repository_id = t.repository_id AND r.digest = t.digest
          AND NOT EXISTS (SELECT FROM elsewhere e WHERE e.repository_id = t.repository_id AND e.digest = t.digest))
      SELECT count(*)::int AS removed FROM gone`,
    values: [...columns(keys), ...columns(locked)],
  });
  return rows[0]?.removed ?? 0;
}

async function lockLinks(tx: Queryable, keys: readonly LinkKey[]): Promise<LinkKey[]> {
  const { rows } = await tx.query<LinkKey>({
    name: 'lock-reviewed-links',
    text: `
      SELECT l.repository_id, l.digest
      FROM unnest($1::uuid[], $2::bytea[]) AS t (repository_id, digest)
      JOIN repository_blob l ON l.repository_id = t.repository_id AND l.digest = t.digest
      FOR UPDATE OF l SKIP LOCKED`,
    values: columns(keys),
  });
  return rows;
}

function columns(keys: readonly LinkKey[]): [string[], Buffer[]] {
  return [keys.map((key) => key.repository_id), keys.map((key) => key.digest)];
}

async function postponeLink(tx: Queryable, key: LinkKey, metLock: boolean): Promise<void> {
  await tx.query({
    name: 'postpone-link-review',
    text: `
      UPDATE link_review SET ${POSTPONED}
      WHERE repository_id = $2 AND digest = $3`,
    values: [metLock, key.repository_id, key.digest],
  });
}
