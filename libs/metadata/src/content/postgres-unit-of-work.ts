import {
  ReferenceGone,
  RepositoryGone,
  type Actor,
  type ChangeRecord,
  type ContentTransaction,
  type HeldManifest,
  type InsertedManifest,
  type ManifestReferences,
  type NewManifest,
  type RemovedTag,
  type TagMove,
  type UnitOfWork,
} from '@entrepot/content';
import type { Digest, Tag } from '@entrepot/oci';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { violatedConstraint } from '../database/errors.js';
import type { ReadReplica } from '../database/read-replica.js';
import { runUnitOfWork } from '../database/unit-of-work.js';
import { insertManifest, insertReferences } from './insert-manifest.js';
import { moveTags, removeTag, removeTagsOf } from './move-tags.js';
import { PostgresUndoStatements } from './postgres-undo-statements.js';
import { translateRepositoryGone } from './repository-gone.js';
import { recordChange } from './record-change.js';
import { deleteManifest, removeManifest, unlinkBlob } from './remove-content.js';
import { removeReferences } from './remove-manifests.js';
import { scheduleManifestReview } from './schedule-review.js';
import { PROMISED_LINK, SERVED_LINK } from './served-link.js';

/** A foreign key that fails because a review removed its target first. */
const REFERENCES = new Set(['manifest_blob_link_fkey', 'manifest_child_child_fkey', 'tag_manifest_fkey']);

export class PostgresUnitOfWork implements UnitOfWork {
  /** `replica`: told what changed here, so that nobody reads there what this process removed. */
  constructor(
    private readonly pool: pg.Pool,
    private readonly replica?: ReadReplica,
  ) {}

  async run<T>(work: (tx: ContentTransaction) => Promise<T>): Promise<T> {
    const changeId = randomUUID();
    const changed = new Set<string>();
    try {
      return await runUnitOfWork(
        this.pool,
        (client) => work(new PostgresContentTransaction(client, { changeId, changed })),
        changeId,
      );
    } catch (error) {
      if (REFERENCES.has(violatedConstraint(error) ?? '')) {
        throw new ReferenceGone('a reference was removed while the manifest was pushed', { cause: error });
      }
      throw translateRepositoryGone(error);
    } finally {
      // After a failure too, whose outcome may not be known.
      for (const repositoryId of changed) this.replica?.noteChange(repositoryId);
    }
  }
}

class PostgresContentTransaction implements ContentTransaction {
  readonly undo: PostgresUndoStatements;

  constructor(
    private readonly tx: pg.PoolClient,
    private readonly change: { readonly changeId: string; readonly changed: Set<string> },
  ) {
    this.undo = new PostgresUndoStatements(tx);
  }

  async holdRepository(repositoryId: string): Promise<void> {
    const { rowCount } = await this.tx.query({
      name: 'hold-repository',
      text: 'SELECT FROM repository WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE',
      values: [repositoryId],
    });
    if (rowCount === 0) throw new RepositoryGone('the repository was deleted');
  }

  async lockTags(repositoryId: string, tags: readonly Tag[]): Promise<void> {
    await this.tx.query({
      name: 'lock-tags',
      text: `
        SELECT pg_advisory_xact_lock(key) FROM (
          SELECT DISTINCT hashtextextended($1::text || ' ' || name, 0) AS key FROM unnest($2::text[]) AS t (name)
          ORDER BY key) AS keys`,
      values: [repositoryId, tags],
    });
  }

  async heldBlobs(repositoryId: string, digests: readonly Digest[]): Promise<Map<Digest, number>> {
    const { rows } = await this.tx.query<{ digest: Buffer; size_bytes: string }>({
      name: 'held-blobs',
      text: `
        SELECT b.digest, b.size_bytes FROM repository_blob l JOIN blob b ON b.digest = l.digest AND b.fault IS NULL
        WHERE l.repository_id = $1 AND l.digest = ANY ($2::bytea[]) AND (${SERVED_LINK} OR ${PROMISED_LINK})`,
      values: [repositoryId, digests.map(digestBytes)],
    });
    return new Map(rows.map((row) => [digestFromBytes(row.digest), Number(row.size_bytes)]));
  }

  async heldManifests(repositoryId: string, digests: readonly Digest[]): Promise<Map<Digest, HeldManifest>> {
    const { rows } = await this.tx.query<{ id: string; digest: Buffer; size_bytes: number }>({
      name: 'held-manifests',
      text: `
        SELECT id, digest, octet_length(payload) AS size_bytes FROM manifest
        WHERE repository_id = $1 AND digest = ANY ($2::bytea[]) AND deleted_at IS NULL
        ORDER BY digest FOR KEY SHARE`,
      values: [repositoryId, digests.map(digestBytes)],
    });
    return new Map(rows.map((row) => [digestFromBytes(row.digest), { id: row.id, sizeBytes: row.size_bytes }]));
  }

  insertManifest(manifest: NewManifest): Promise<InsertedManifest> {
    return insertManifest(this.tx, manifest);
  }

  insertReferences(references: ManifestReferences): Promise<void> {
    return insertReferences(this.tx, references);
  }

  moveTags(move: TagMove): Promise<boolean> {
    return moveTags(this.tx, move);
  }

  reviewManifest(manifestId: string, reason: string, graceMs: number): Promise<void> {
    return scheduleManifestReview(this.tx, { manifestIds: [manifestId], reason, graceMs });
  }

  record(change: ChangeRecord): Promise<void> {
    this.change.changed.add(change.repositoryId);
    return recordChange(this.tx, this.change.changeId, change);
  }

  removeTag(repositoryId: string, tag: Tag, actor: Actor, graceMs: number): Promise<RemovedTag | undefined> {
    return removeTag(this.tx, { repositoryId, tag, actor, graceMs });
  }

  removeTagsOf(repositoryId: string, manifestId: string, actor: Actor): Promise<Tag[]> {
    return removeTagsOf(this.tx, { repositoryId, manifestId, actor });
  }

  async parentsOf(manifestId: string): Promise<Digest[]> {
    const { rows } = await this.tx.query<{ digest: Buffer }>({
      name: 'parents-of',
      text: `
        SELECT m.digest FROM manifest m
        WHERE m.deleted_at IS NULL AND m.id IN (
          SELECT parent_id FROM manifest_child WHERE child_id = $1
          UNION SELECT s.manifest_id FROM sparse_reference s JOIN manifest c USING (repository_id, digest)
          WHERE c.id = $1 AND s.kind = 'manifest')
        ORDER BY m.id LIMIT 10`,
      values: [manifestId],
    });
    return rows.map((row) => digestFromBytes(row.digest));
  }

  async lockManifest(repositoryId: string, digest: Digest): Promise<HeldManifest | undefined> {
    const { rows } = await this.tx.query<{ id: string; size_bytes: number }>({
      name: 'lock-manifest',
      text: `
        SELECT id, octet_length(payload) AS size_bytes FROM manifest
        WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL FOR UPDATE`,
      values: [repositoryId, digestBytes(digest)],
    });
    return rows[0] && { id: rows[0].id, sizeBytes: rows[0].size_bytes };
  }

  deleteManifest(manifestId: string, actor: Actor, graceMs: number): Promise<number> {
    return deleteManifest(this.tx, { manifestId, deletedBy: actor.name, graceMs });
  }

  removeReferences(manifestId: string, graceMs: number): Promise<number> {
    return removeReferences(this.tx, { ids: [manifestId], graceMs });
  }

  purgeManifest(manifestId: string): Promise<number> {
    return removeManifest(this.tx, { manifestId, graceMs: 0, breaksPromises: true });
  }

  unlinkBlob(repositoryId: string, digest: Digest): Promise<boolean> {
    return unlinkBlob(this.tx, { repositoryId, digest });
  }
}
