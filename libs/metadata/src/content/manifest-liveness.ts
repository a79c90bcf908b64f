import type { ReviewTerms } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';

/** What a look at a manifest found. */
export interface ManifestVerdict {
  readonly id: string;
  /** `live`: something needs it. `held`: only time keeps it. `gone`: nothing does. */
  readonly state: 'live' | 'held' | 'gone';
  /** What keeps one that is held, and until when; null elsewhere. */
  readonly hold: 'history' | 'untagged' | 'orphan' | 'deleted' | 'repository' | null;
  readonly until: Date | number | null;
  /** Its subject, where that is all that it lives by: it may have lived by this referrer, which has lost its own claim. */
  readonly subject_id: string | null;
}

/** Intervals that Postgres can add to a time. */
const LONGEST_MS = 100 * 365 * 86_400_000;

/**
 * Who is live, in one place (docs/gc.md). $1 are row ids; the times are $2 grace, $3 undo, $4 untagged (null: keep),
 * $5 orphans. $6 are manifests that count as gone.
 *
 * `family` is a manifest without a claim of its own, its referrers, theirs and so on: if one of them is tagged, listed or
 * remembered, all that it leads to is live. That a referrer has a subject is no claim, or two would keep each other; and a
 * subject that was deleted keeps its referrers, which are restored with it.
 */
const VERDICTS = `
  WITH RECURSIVE term AS (
    SELECT $2 * interval '1 millisecond' AS grace, $3 * interval '1 millisecond' AS undo,
      $4 * interval '1 millisecond' AS untagged, $5 * interval '1 millisecond' AS orphans),
  looked AS (
    SELECT m.id, m.repository_id, m.digest, m.subject_digest, m.pushed_at, m.deleted_at,
      r.deleted_at IS NOT NULL AS is_repository_deleted, r.restored_at,
      CASE
        WHEN n.untagged IS NULL THEN term.untagged
        WHEN n.untagged <> 'keep' THEN least(n.untagged::interval, interval '36500 days')
      END AS untagged,
      EXISTS (SELECT FROM tag t WHERE t.manifest_id = m.id) AS is_tagged,
      EXISTS (SELECT FROM manifest_child c WHERE c.child_id = m.id AND c.parent_id <> ALL ($6::bigint[]))
        OR EXISTS (
          SELECT FROM sparse_reference s
          WHERE s.repository_id = m.repository_id AND s.digest = m.digest AND s.kind = 'manifest'
            AND s.manifest_id <> ALL ($6)) AS is_listed,
      (SELECT s.id FROM manifest s
       WHERE s.repository_id = m.repository_id AND s.digest = m.subject_digest AND s.id <> ALL ($6)) AS subject_id,
      (SELECT t.orphaned_at FROM manifest_review t WHERE t.manifest_id = m.id) AS orphaned_at,
      greatest(
        (SELECT u.used_at FROM manifest_use u WHERE u.manifest_id = m.id),
        (SELECT max(u.used_at) FROM manifest_use_mark u WHERE u.manifest_id = m.id)) AS used_at
    FROM manifest m JOIN repository r ON r.id = m.repository_id JOIN namespace n ON n.id = r.namespace_id CROSS JOIN term
    WHERE m.id = ANY ($1::bigint[])),
  family AS (
    SELECT id AS root_id, id, repository_id, digest FROM looked
    WHERE NOT is_tagged AND NOT is_listed AND deleted_at IS NULL AND NOT is_repository_deleted
    UNION
    SELECT f.root_id, r.id, r.repository_id, r.digest
    FROM family f JOIN manifest r
      ON r.repository_id = f.repository_id AND r.subject_digest = f.digest AND r.deleted_at IS NULL
        AND r.id <> ALL ($6)),
  claim AS (
    SELECT f.root_id, max(h.left_at) AS left_at, max(h.left_at) FILTER (WHERE f.id = f.root_id) AS own_left_at,
      bool_or(
        EXISTS (SELECT FROM tag t WHERE t.manifest_id = f.id)
        OR EXISTS (SELECT FROM manifest_child c WHERE c.child_id = f.id AND c.parent_id <> ALL ($6))
        OR EXISTS (
          SELECT FROM sparse_reference s
          WHERE s.repository_id = f.repository_id AND s.digest = f.digest AND s.kind = 'manifest'
            AND s.manifest_id <> ALL ($6))) AS is_claimed
    FROM family f LEFT JOIN LATERAL (
      SELECT max(h.changed_at) AS left_at FROM tag_history h
      WHERE h.repository_id = f.repository_id AND h.previous_digest = f.digest) AS h ON true
    GROUP BY f.root_id),
  judged AS (
    SELECT l.id, l.subject_id, l.is_repository_deleted, l.deleted_at, l.is_listed,
      l.is_tagged OR l.is_listed OR coalesce(c.is_claimed, false) AS is_claimed,
      c.left_at + term.undo AS history_until,
      CASE WHEN l.subject_digest IS NULL THEN 'untagged' ELSE 'orphan' END AS rule,
      greatest(
        l.pushed_at + term.grace,
        c.own_left_at + term.grace,
        CASE
          WHEN l.subject_digest IS NOT NULL THEN greatest(l.pushed_at, l.orphaned_at, l.restored_at) + term.orphans
          WHEN l.untagged IS NULL THEN 'infinity'
          ELSE greatest(
            greatest(l.pushed_at, c.own_left_at, l.restored_at) + l.untagged,
            l.used_at + least(l.untagged / 10, interval '1 hour') + l.untagged)
        END) AS rule_until,
      l.deleted_at + term.undo AS deleted_until
    FROM looked l LEFT JOIN claim c ON c.root_id = l.id CROSS JOIN term),
  decided AS (
    SELECT id, subject_id, is_claimed,
      CASE
        WHEN is_repository_deleted THEN 'repository'
        WHEN deleted_at IS NOT NULL THEN CASE WHEN NOT is_listed THEN 'deleted' END
        WHEN is_claimed OR subject_id IS NOT NULL THEN NULL
        WHEN history_until > rule_until THEN 'history'
        ELSE rule
      END AS hold,
      CASE
        WHEN is_repository_deleted THEN now() + interval '1 day'
        WHEN deleted_at IS NOT NULL THEN deleted_until
        ELSE greatest(history_until, rule_until)
      END AS until
    FROM judged)
  SELECT id,
    CASE WHEN hold IS NULL THEN 'live' WHEN until > now() THEN 'held' ELSE 'gone' END AS state,
    CASE WHEN until > now() THEN hold END AS hold,
    CASE WHEN hold IS NOT NULL AND until > now() THEN until END AS until,
    CASE WHEN hold IS NULL AND NOT is_claimed THEN subject_id END AS subject_id
  FROM decided`;

/**
 * Verdicts on manifests, as of this statement. They hold as long as the rows are locked, if they were locked before:
 * what would change one waits for the lock, but for referrers, which only come too late. `goneIds` count as gone already.
 */
export async function judgeManifests(
  tx: Queryable,
  ids: readonly string[],
  { graceMs, undoMs, untaggedMs, orphansMs }: ReviewTerms,
  goneIds: readonly string[] = [],
): Promise<ManifestVerdict[]> {
  const times = [graceMs, undoMs, untaggedMs === 'keep' ? null : untaggedMs, orphansMs];
  const { rows } = await tx.query<ManifestVerdict>({
    name: 'judge-manifests',
    text: VERDICTS,
    values: [ids, ...times.map((ms) => (ms === null ? null : Math.min(ms, LONGEST_MS))), goneIds],
  });
  return rows;
}
