import type { KeptManifest, RestoredManifest, TagValue, UndoStatements } from '@entrepot/content';
import type { Digest, Tag } from '@entrepot/oci';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';
import { restoreManifests } from './restore-manifests.js';

/** Indexes that list the manifest $1, resolved or awaited. */
const PARENTS = `
  SELECT c.parent_id FROM manifest_child c WHERE c.child_id = $1
  UNION SELECT s.manifest_id FROM sparse_reference s JOIN manifest m USING (repository_id, digest)
  WHERE m.id = $1 AND s.kind = 'manifest'`;

export class PostgresUndoStatements implements UndoStatements {
  constructor(private readonly tx: Queryable) {}

  async lockKept(repositoryId: string, digest: Digest): Promise<KeptManifest | undefined> {
    const { rows } = await this.tx.query<{ id: string; size_bytes: number; is_deleted: boolean }>({
      name: 'lock-kept-manifest',
      text: `
        SELECT id, octet_length(payload) AS size_bytes, deleted_at IS NOT NULL AS is_deleted FROM manifest
        WHERE repository_id = $1 AND digest = $2 FOR UPDATE`,
      values: [repositoryId, digestBytes(digest)],
    });
    const [row] = rows;
    return row && { id: row.id, sizeBytes: row.size_bytes, isDeleted: row.is_deleted };
  }

  restore(repositoryId: string, manifestId: string, graceMs: number): Promise<RestoredManifest[]> {
    return restoreManifests(this.tx, { repositoryId, manifestId, graceMs });
  }

  async valueBefore(repositoryId: string, tag: Tag): Promise<TagValue | undefined> {
    const { rows } = await this.tx.query<{ digest: Buffer | null }>({
      name: 'tag-value-before',
      text: `
        SELECT previous_digest AS digest FROM tag_history WHERE repository_id = $1 AND name = $2 ORDER BY id DESC LIMIT 1`,
      values: [repositoryId, tag],
    });
    return toValue(rows);
  }

  /** Times are told to the millisecond, and may be asked for as they were told. */
  async valueAt(repositoryId: string, tag: Tag, time: Date): Promise<TagValue | undefined> {
    const { rows } = await this.tx.query<{ digest: Buffer | null }>({
      name: 'tag-value-at',
      text: `
        SELECT digest FROM tag_history
        WHERE repository_id = $1 AND name = $2 AND date_trunc('milliseconds', changed_at) <= $3
        ORDER BY id DESC LIMIT 1`,
      values: [repositoryId, tag, time],
    });
    return toValue(rows);
  }

  async hadValue(repositoryId: string, tag: Tag, digest: Digest): Promise<boolean> {
    const { rowCount } = await this.tx.query({
      name: 'tag-had-value',
      text: `
        SELECT FROM tag_history
        WHERE repository_id = $1 AND name = $2 AND (digest = $3 OR previous_digest = $3) LIMIT 1`,
      values: [repositoryId, tag, digestBytes(digest)],
    });
    return rowCount === 1;
  }

  async forgetTag(repositoryId: string, tag: Tag): Promise<void> {
    await this.tx.query({
      name: 'forget-tag',
      text: `
        WITH gone AS (DELETE FROM tag_history WHERE repository_id = $1 AND name = $2 RETURNING previous_digest),
        held AS (
          SELECT id FROM manifest WHERE repository_id = $1 AND digest IN (SELECT previous_digest FROM gone)
          ORDER BY id FOR KEY SHARE)
        INSERT INTO manifest_review (manifest_id, reason, due_at) SELECT id, 'history purged', now() FROM held
        ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at, hold = NULL`,
      values: [repositoryId, tag],
    });
  }

  deletedParentsOf(manifestId: string): Promise<Digest[]> {
    const text = `
      SELECT m.digest FROM manifest m WHERE m.deleted_at IS NOT NULL AND m.id IN (${PARENTS}) ORDER BY m.id LIMIT 10`;
    return this.#digests('deleted-parents-of', manifestId, text);
  }

  entriesOf(manifestId: string): Promise<Digest[]> {
    const text = `
      SELECT m.digest FROM manifest_child c JOIN manifest m ON m.id = c.child_id WHERE c.parent_id = $1 ORDER BY m.id`;
    return this.#digests('entries-of', manifestId, text);
  }

  /** `family` as in manifest-liveness.ts: the manifest, its referrers, theirs and so on. */
  async isNeeded(manifestId: string, undoMs: number): Promise<boolean> {
    const { rows } = await this.tx.query<{ is_needed: boolean }>({
      name: 'is-manifest-needed',
      text: `
        WITH RECURSIVE family AS (
          SELECT id, repository_id, digest FROM manifest WHERE id = $1
          UNION
          SELECT r.id, r.repository_id, r.digest FROM family f JOIN manifest r
            ON r.repository_id = f.repository_id AND r.subject_digest = f.digest AND r.deleted_at IS NULL)
        SELECT EXISTS (
          SELECT FROM family f
          WHERE EXISTS (SELECT FROM tag t WHERE t.manifest_id = f.id)
            OR EXISTS (SELECT FROM manifest_child c WHERE c.child_id = f.id)
            OR EXISTS (
              SELECT FROM sparse_reference s
              WHERE s.repository_id = f.repository_id AND s.digest = f.digest AND s.kind = 'manifest')
            OR EXISTS (
              SELECT FROM tag_history h
              WHERE h.repository_id = f.repository_id AND h.previous_digest = f.digest
                AND h.changed_at > now() - $2 * interval '1 millisecond')) AS is_needed`,
      values: [manifestId, undoMs],
    });
    return rows[0]?.is_needed === true;
  }

  async #digests(name: string, manifestId: string, text: string): Promise<Digest[]> {
    const { rows } = await this.tx.query<{ digest: Buffer }>({ name, text, values: [manifestId] });
    return rows.map((row) => digestFromBytes(row.digest));
  }
}

function toValue([row]: readonly { readonly digest: Buffer | null }[]): TagValue | undefined {
  return row && { digest: row.digest === null ? undefined : digestFromBytes(row.digest) };
}
