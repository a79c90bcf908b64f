import type { Queryable } from '../database/unit-of-work.js';
import { POSTPONED, type ReviewKind } from './review-batches.js';

/** A task and its reason: the version before this one reviewed blobs where this one reviews links. */
export interface BlobKey {
  readonly digest: Buffer;
  readonly reason: string;
}

/** Reviews of blobs. `graceMs` is for links that a process of the version before made. */
export function blobReviews(graceMs: number): ReviewKind<BlobKey> {
  return {
    name: 'Blobs',
    take: takeBlobs,
    decide: (tx, keys) => decideBlobs(tx, keys, graceMs),
    postpone: postponeBlob,
    describe: ({ digest }) => `blob ${digest.toString('hex')}`,
  };
}

export async function takeBlobs(tx: Queryable, limit: number): Promise<BlobKey[]> {
  const { rows } = await tx.query<BlobKey>({
    name: 'take-blob-reviews',
    text: 'SELECT digest, reason FROM blob_review WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED',
    values: [limit],
  });
  return rows;
}

/**
 * Locks the blobs, then looks for links: an upload and a mount hold the row by a foreign key. A blob without one goes, and its
 * object is doomed under the key that it has now.
 */
export async function decideBlobs(tx: Queryable, keys: readonly BlobKey[], graceMs: number): Promise<number> {
  const digests = keys.map(({ digest }) => digest);
  const inherited = keys.filter(({ reason }) => reason !== 'unlinked').map(({ digest }) => digest);
  if (inherited.length > 0) await oweLinks(tx, inherited, graceMs);
  const { rows: locked } = await tx.query<{ digest: Buffer }>({
    name: 'lock-reviewed-blobs',
    text: 'SELECT digest FROM blob WHERE digest = ANY ($1::bytea[]) FOR UPDATE SKIP LOCKED',
    values: [digests],
  });
  const { rows } = await tx.query<{ removed: number }>({
    name: 'decide-blobs',
    text: `
      WITH gone AS (
        DELETE FROM blob b
        WHERE b.digest = ANY ($2::bytea[]) AND NOT EXISTS (SELECT FROM repository_blob l WHERE l.digest = b.digest)
        RETURNING b.object_key, b.size_bytes),
      doomed AS (
        INSERT INTO doomed_object (object_key, reason, size_bytes)
        SELECT object_key, 'unlinked', size_bytes FROM gone ORDER BY object_key
        ON CONFLICT (object_key) DO UPDATE SET due_at = excluded.due_at, size_bytes = excluded.size_bytes),
      audit AS (
        INSERT INTO audit_event (actor_name, action, target, detail)
        SELECT 'gc', 'blob.removed', 'storage', jsonb_build_object('blobs', count(*), 'bytes', sum(size_bytes))
        FROM gone HAVING count(*) > 0),
      elsewhere AS (SELECT digest FROM blob WHERE digest = ANY ($1::bytea[]) AND digest <> ALL ($2::bytea[])),
      later AS (
        UPDATE blob_review SET due_at = now() + interval '1 second' WHERE digest IN (SELECT digest FROM elsewhere)),
      dropped AS (
        DELETE FROM blob_review WHERE digest = ANY ($1::bytea[]) AND digest NOT IN (SELECT digest FROM elsewhere))
      SELECT count(*)::int AS removed FROM gone`,
    values: [digests, locked.map(({ digest }) => digest)],
  });
  return rows[0]?.removed ?? 0;
}

/** What a process of the version before wrote about a blob is a suspicion of its links. */
async function oweLinks(tx: Queryable, digests: readonly Buffer[], graceMs: number): Promise<void> {
  await tx.query({
    name: 'owe-inherited-links',
    text: `
      INSERT INTO link_review (repository_id, digest, reason, due_at)
      SELECT l.repository_id, l.digest, 'inherited', now() + $2 * interval '1 millisecond' FROM repository_blob l
      WHERE l.digest = ANY ($1::bytea[])
        AND NOT EXISTS (SELECT FROM manifest_blob b WHERE b.repository_id = l.repository_id AND b.digest = l.digest)
        AND NOT EXISTS (SELECT FROM link_review t WHERE t.repository_id = l.repository_id AND t.digest = l.digest)
      ORDER BY l.repository_id, l.digest
      ON CONFLICT (repository_id, digest) DO UPDATE SET due_at = greatest(link_review.due_at, excluded.due_at)`,
    values: [digests, graceMs],
  });
}

async function postponeBlob(tx: Queryable, { digest }: BlobKey, metLock: boolean): Promise<void> {
  await tx.query({
    name: 'postpone-blob-review',
    text: `UPDATE blob_review SET ${POSTPONED} WHERE digest = $2`,
    values: [metLock, digest],
  });
}
