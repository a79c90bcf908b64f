import type { Actor, RemovedTag, TagMove } from '@entrepot/content';
import type { Tag } from '@entrepot/oci';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

/**
 * The caller holds the tags' locks against other pushes, and `before` locks their rows against the removal of what they
 * point at: it is evaluated first, and what it sees is what the upsert replaces.
 */
export async function moveTags(tx: Queryable, move: TagMove): Promise<boolean> {
  const { rows } = await tx.query<{ moved: number }>({
    name: 'move-tags',
    text: `
      WITH wanted AS (SELECT DISTINCT name FROM unnest($2::text[]) AS w (name)),
      before AS (
        SELECT t.name, t.manifest_id, m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id
        WHERE t.repository_id = $1 AND t.name = ANY ($2) ORDER BY t.name FOR UPDATE OF t),
      moved AS (
        INSERT INTO tag (repository_id, name, manifest_id, updated_by)
        SELECT $1, name, $3, $5 FROM wanted LEFT JOIN before USING (name)
        ON CONFLICT (repository_id, name)
          DO UPDATE SET manifest_id = excluded.manifest_id, updated_by = excluded.updated_by, updated_at = now()
          WHERE tag.manifest_id <> excluded.manifest_id
        RETURNING name),
      history AS (
        INSERT INTO tag_history (repository_id, name, digest, previous_digest, changed_by, changed_by_name)
        SELECT $1, moved.name, $4, before.digest, $5, $7 FROM moved LEFT JOIN before USING (name)),
      review AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at)
        SELECT DISTINCT before.manifest_id, 'tag moved', now() + $6 * interval '1 millisecond'
        FROM before JOIN moved USING (name) ORDER BY before.manifest_id
        ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at)
      SELECT count(*)::int AS moved FROM moved`,
    values: [
      move.repositoryId,
      move.tags,
      move.manifestId,
      digestBytes(move.digest),
      move.actor.id,
      move.graceMs,
      move.actor.name,
    ],
  });
  return (rows[0]?.moved ?? 0) > 0;
}

export interface TagRemoval {
  readonly repositoryId: string;
  readonly tag: Tag;
  readonly actor: Actor;
  readonly graceMs: number;
}

export async function removeTag(tx: Queryable, removal: TagRemoval): Promise<RemovedTag | undefined> {
  const { rows } = await tx.query<{ manifest_id: string; digest: Buffer }>({
    name: 'remove-tag',
    text: `
      WITH gone AS (
        DELETE FROM tag t USING manifest m
        WHERE t.repository_id = $1 AND t.name = $2 AND m.id = t.manifest_id
        RETURNING t.manifest_id, m.digest),
      history AS (
        INSERT INTO tag_history (repository_id, name, previous_digest, changed_by, changed_by_name)
        SELECT $1, $2, digest, $3, $5 FROM gone),
      review AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at)
        SELECT manifest_id, 'tag deleted', now() + $4 * interval '1 millisecond' FROM gone
        ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at)
      SELECT manifest_id, digest FROM gone`,
    values: [removal.repositoryId, removal.tag, removal.actor.id, removal.graceMs, removal.actor.name],
  });
  return rows[0] && { manifestId: rows[0].manifest_id, digest: digestFromBytes(rows[0].digest) };
}

/** A tag that was moved away meanwhile stays: its row no longer names the manifest when its lock is had. */
export async function removeTagsOf(
  tx: Queryable,
  { repositoryId, manifestId, actor }: { repositoryId: string; manifestId: string; actor: Actor },
): Promise<Tag[]> {
  const { rows } = await tx.query<{ name: Tag }>({
    name: 'remove-tags-of',
    text: `
      WITH gone AS (DELETE FROM tag WHERE manifest_id = $2 RETURNING name),
      history AS (
        INSERT INTO tag_history (repository_id, name, previous_digest, changed_by, changed_by_name)
        SELECT $1, gone.name, m.digest, $3, $4 FROM gone JOIN manifest m ON m.id = $2)
      SELECT name FROM gone ORDER BY name`,
    values: [repositoryId, manifestId, actor.id, actor.name],
  });
  return rows.map((row) => row.name);
}
