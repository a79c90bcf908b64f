import {
  RepositoryGone,
  type FinishedUpload,
  type Lease,
  type LeaseTerms,
  type Mount,
  type NewUpload,
  type ObjectKey,
  type Upload,
  type UploadProgress,
  type UploadRef,
  type Uploads,
} from '@entrepot/content';
import type { Digest, DigestAlgorithm } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { violatedConstraint } from '../database/errors.js';
import { queryRows, repeatRows } from '../database/unit-of-work.js';
import { finishUpload } from './finish-upload.js';
import { mountBlob } from './mount-blob.js';
import { translateRepositoryGone } from './repository-gone.js';
import { promisedUntil } from './schedule-review.js';
import type { SignOfLife } from './sign-of-life.js';

interface UploadRow {
  readonly object_key: ObjectKey;
  readonly offset_bytes: string;
  readonly algorithm: DigestAlgorithm;
  readonly hash: Buffer | null;
  readonly resume: string | null;
}

const COLUMNS = 'object_key, offset_bytes, algorithm, hash, resume';
const BELONGS = 'id = $1 AND repository_id = $2 AND account_id = $3';
const LEASED = 'id = $1 AND lease_id = $2';

function toUpload({ object_key: objectKey, offset_bytes, algorithm, hash, resume }: UploadRow): Upload {
  const digest = hash && (`${algorithm}:${hash.toString('hex')}` as Digest);
  return {
    objectKey,
    offsetBytes: Number(offset_bytes),
    algorithm,
    ...(digest && { digest }),
    ...(resume !== null && { resume }),
  };
}

function belonging({ uploadId, repositoryId, accountId }: UploadRef): string[] {
  return [uploadId, repositoryId, accountId];
}

/** The state, algorithm and hash of the progress; the hash is kept only where it is by the upload's own algorithm. */
function progressValues({ offsetBytes, resume, digest }: UploadProgress): unknown[] {
  const algorithm = digest?.slice(0, digest.indexOf(':')) ?? null;
  return [offsetBytes, resume ?? null, algorithm, digest ? digestBytes(digest).subarray(1) : null];
}

/** Where the lease was given back at this progress already: what a release leaves whose answer was lost. */
function releasedAt({ uploadId }: Lease, progress?: UploadProgress): pg.QueryConfig {
  return {
    text: `
      SELECT id FROM upload WHERE id = $1 AND lease_id IS NULL AND offset_bytes = coalesce($2::bigint, offset_bytes)`,
    values: [uploadId, progress?.offsetBytes ?? null],
  };
}

/** Progress as four values that begin at the given parameter. */
const progressFrom = (first: number): string =>
  `offset_bytes = $${first}, resume = $${first + 1},
   hash = CASE WHEN algorithm = $${first + 2} THEN $${first + 3}::bytea END, touched_at = now(), `;

/** By `signOfLife` the leases that are taken here end with this process at once; without it, when their time is over. */
export class PostgresUploads implements Uploads {
  constructor(
    private readonly pool: pg.Pool,
    private readonly signOfLife?: Pick<SignOfLife, 'lockKey'>,
  ) {}

  /**
   * Committed without waiting for the disk: a start that a crash of the database forgets has acknowledged no byte, and
   * its client begins again.
   */
  async start(upload: NewUpload): Promise<boolean> {
    try {
      const isStarted = await this.#repeat({
        name: 'start-upload',
        text: `
          WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
          INSERT INTO upload (id, repository_id, account_id, object_key, algorithm)
          SELECT $1, r.id, $3, $4, $5 FROM relaxed CROSS JOIN repository r
          WHERE r.id = $2 AND r.deleted_at IS NULL AND (SELECT count(*) FROM (
            SELECT FROM upload WHERE account_id = $3 AND touched_at > now() - interval '1 hour' LIMIT $6) AS open_uploads) < $6
          FOR KEY SHARE OF r
          ON CONFLICT (id) DO UPDATE SET touched_at = now()
          RETURNING id`,
        values: [...belonging(upload), upload.objectKey, upload.algorithm, upload.limit],
      });
      if (!isStarted) await this.#checkRepository(upload.repositoryId);
      return isStarted;
    } catch (error) {
      throw translateRepositoryGone(error);
    }
  }

  async find(ref: UploadRef): Promise<Upload | undefined> {
    const [row] = await repeatRows<UploadRow>(this.pool, {
      name: 'find-upload',
      text: `SELECT ${COLUMNS} FROM upload WHERE ${BELONGS}`,
      values: belonging(ref),
    });
    return row && toUpload(row);
  }

  /** A lease that ran out leaves its holder named in the row: the next one is told. */
  async lease(ref: UploadRef, { leaseId }: Lease, terms: LeaseTerms): Promise<Upload | undefined> {
    const [row] = await repeatRows<UploadRow & { readonly was_abandoned: boolean }>(this.pool, {
      name: 'lease-upload',
      text: `
        UPDATE upload u SET lease_id = $4, lease_until = now() + $5 * interval '1 millisecond', lease_lock = $7,
          touched_at = now()
        FROM (
          SELECT id AS found_id, lease_id AS former_id, lease_lock AS former_lock
          FROM upload WHERE ${BELONGS} FOR UPDATE) AS former
        WHERE u.id = former.found_id AND u.offset_bytes = coalesce($6, u.offset_bytes)
          AND (u.lease_until IS NULL OR u.lease_until < now() OR u.lease_id = $4
            OR CASE WHEN former_lock IS NOT NULL THEN pg_try_advisory_xact_lock_shared(former_lock) ELSE false END)
        RETURNING ${COLUMNS}, former_id IS NOT NULL AS was_abandoned`,
      values: [...belonging(ref), leaseId, terms.leaseMs, terms.offsetBytes ?? null, this.signOfLife?.lockKey ?? null],
    });
    return row && { ...toUpload(row), wasAbandoned: row.was_abandoned };
  }

  async renew(lease: Lease, leaseMs: number, progress?: UploadProgress): Promise<boolean> {
    return this.#repeat({
      name: progress ? 'renew-upload-with-progress' : 'renew-upload',
      text: `
        UPDATE upload SET ${progress ? progressFrom(4) : ''}lease_until = now() + $3 * interval '1 millisecond'
        WHERE ${LEASED} RETURNING id`,
      values: [lease.uploadId, lease.leaseId, leaseMs, ...(progress ? progressValues(progress) : [])],
    });
  }

  async release(lease: Lease, progress: UploadProgress): Promise<boolean> {
    const query = {
      name: 'release-upload',
      text: `UPDATE upload SET ${progressFrom(3)}lease_id = NULL, lease_until = NULL WHERE ${LEASED} RETURNING id`,
      values: [lease.uploadId, lease.leaseId, ...progressValues(progress)],
    };
    return this.#repeat(query, releasedAt(lease, progress));
  }

  /** Progress that was noted meanwhile stays. An abandoned upload keeps a mark, by which nobody can renew a lease. */
  async giveUp(lease: Lease, { wasAbandoned }: Upload): Promise<boolean> {
    const query = {
      name: 'give-up-upload',
      text: `
        UPDATE upload SET lease_id = CASE WHEN $3 THEN gen_random_uuid() END, lease_until = NULL WHERE ${LEASED} RETURNING id`,
      values: [lease.uploadId, lease.leaseId, wasAbandoned === true],
    };
    return this.#repeat(query, releasedAt(lease));
  }

  /** The link is held first, so that a review of it is over by then, or passes by. */
  async findFinished(ref: UploadRef, graceMs: number): Promise<Digest | undefined> {
    const [row] = await repeatRows<{ readonly digest: Buffer }>(this.pool, {
      name: 'find-finished-upload',
      text: `
        WITH held AS (
          SELECT l.repository_id, l.digest FROM finished_upload f
          JOIN repository_blob l ON l.repository_id = f.repository_id AND l.digest = f.digest
          JOIN blob b ON b.digest = f.digest AND b.fault IS NULL
          WHERE f.upload_id = $1 AND f.repository_id = $2 AND f.account_id = $3 AND l.released_at IS NULL
          FOR KEY SHARE OF l),
        promised AS (
          INSERT INTO link_review (repository_id, digest, reason, due_at)
          SELECT repository_id, digest, 'uploaded', ${promisedUntil('$4')} FROM held
          ON CONFLICT (repository_id, digest) DO UPDATE
            SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at))
        SELECT digest FROM held`,
      values: [...belonging(ref), graceMs],
    });
    return row && digestFromBytes(row.digest);
  }

  finish(finished: FinishedUpload): Promise<boolean> {
    return finishUpload(this.pool, finished);
  }

  /** Not begun again where it may have happened: an end of the upload may have come between. */
  async cancel(ref: UploadRef): Promise<boolean> {
    const gone = await queryRows(this.pool, {
      name: 'cancel-upload',
      text: `
        WITH gone AS (DELETE FROM upload WHERE ${BELONGS} RETURNING object_key, offset_bytes)
        INSERT INTO doomed_object (object_key, reason, size_bytes)
        SELECT object_key, 'upload cancelled', offset_bytes FROM gone RETURNING object_key`,
      values: belonging(ref),
    });
    return gone.length > 0;
  }

  async mount(mount: Mount): Promise<boolean> {
    try {
      return await mountBlob(this.pool, mount);
    } catch (error) {
      // The blob went to a review that was first: the client uploads it.
      if (violatedConstraint(error) === 'repository_blob_blob_fkey') return false;
      throw translateRepositoryGone(error);
    }
  }

  async #checkRepository(id: string): Promise<void> {
    const text = 'SELECT id FROM repository WHERE id = $1 AND deleted_at IS NULL';
    const found = await repeatRows(this.pool, { name: 'check-repository', text, values: [id] });
    if (found.length === 0) throw new RepositoryGone('the repository was deleted');
  }

  /** A write that names what it changes by keys of the caller, so that it may run twice. */
  async #repeat(query: pg.QueryConfig, check?: pg.QueryConfig): Promise<boolean> {
    return (await repeatRows(this.pool, query, check)).length > 0;
  }
}
