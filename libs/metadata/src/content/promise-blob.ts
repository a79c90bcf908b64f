import type { ObjectKey, StoredBlob } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes } from '../database/digest-bytes.js';
import { inOrder } from '../database/in-order.js';
import { repeatRows } from '../database/unit-of-work.js';
import type { InRepository } from './find-content.js';
import { promisedUntil } from './schedule-review.js';
import { SERVED_LINK } from './served-link.js';

/** A blob that somebody asked for who may rely on the answer. */
export interface PromisedBlob extends StoredBlob {
  /** Nothing refers to it, and the promise that holds it ends before a new one would. */
  readonly needsPromise: boolean;
}

/** A digest in a repository, and for how long the blob shall stay. */
export interface Wanted {
  readonly digest: Digest;
  readonly graceMs: number;
}

/** Blobs that repositories hold, and whether a review of them is near, in the order of the keys. */
export async function findPromisedBlobs(
  pool: pg.Pool,
  keys: readonly InRepository<Wanted>[],
): Promise<(PromisedBlob | undefined)[]> {
  const rows = await repeatRows<{ ord: number; object_key: ObjectKey; size_bytes: string; needs_promise: boolean }>(
    pool,
    {
      name: 'promised-blobs',
      text: `
      SELECT q.ord::int4, b.object_key, b.size_bytes,
        t.due_at IS NOT NULL AND t.due_at < now() + q.grace_ms * interval '1 millisecond'
          AND NOT EXISTS (SELECT FROM manifest_blob n WHERE n.repository_id = l.repository_id AND n.digest = l.digest)
          AND NOT EXISTS (SELECT FROM sparse_reference n WHERE n.repository_id = l.repository_id AND n.digest = l.digest)
          AS needs_promise
      FROM unnest($1::uuid[], $2::bytea[], $3::float8[]) WITH ORDINALITY AS q (repository_id, digest, grace_ms, ord)
      JOIN repository r ON r.id = q.repository_id AND r.deleted_at IS NULL
      JOIN repository_blob l ON l.repository_id = q.repository_id AND l.digest = q.digest AND ${SERVED_LINK}
      JOIN blob b ON b.digest = l.digest AND b.fault IS NULL
      LEFT JOIN link_review t ON t.repository_id = l.repository_id AND t.digest = l.digest`,
      values: [
        keys.map(({ repositoryId }) => repositoryId),
        keys.map(({ key }) => digestBytes(key.digest)),
        keys.map(({ key }) => key.graceMs),
      ],
    },
  );
  return inOrder(keys.length, rows, (row) => ({
    objectKey: row.object_key,
    sizeBytes: Number(row.size_bytes),
    needsPromise: row.needs_promise,
  }));
}

/**
 * Puts the review of the link off, so far that a storm of questions writes rarely and each answer is good for the whole time.
 * Waits for a review under way. False where there is no such task any more: somebody
 * else put it off, or a review took the link or found it referenced, which a new look will tell.
 */
export async function promiseBlob(pool: pg.Pool, { repositoryId, key }: InRepository<Wanted>): Promise<boolean> {
  const rows = await repeatRows(pool, {
    name: 'promise-blob',
    text: `
      UPDATE link_review SET reason = 'asked for', attempts = 0,
        due_at = ${promisedUntil('$3')}
      WHERE repository_id = $1 AND digest = $2 AND due_at < now() + $3 * interval '1 millisecond'
      RETURNING digest`,
    values: [repositoryId, digestBytes(key.digest), key.graceMs],
  });
  return rows.length > 0;
}
