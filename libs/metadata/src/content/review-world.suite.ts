import { randomBytes, randomUUID } from 'node:crypto';
import type { ReviewFailure, ReviewTally, ReviewTerms } from '@entrepot/content';
import type { Pool } from 'pg';
import { PostgresReviews, createPool } from '../index.js';
import { collectAll } from './collect-all.suite.js';

/** What a row of `manifest` is made with; ages are intervals of Postgres. */
export interface ManifestRow {
  readonly age?: string;
  readonly deletedAge?: string;
  readonly subject?: Buffer;
  readonly in?: string;
}

export interface RowKey {
  readonly id: string;
  readonly digest: Buffer;
}

/** Rows as changes leave them, written by hand, and a collector over them. */
export class ReviewWorld {
  readonly owner: Pool;
  readonly jobs: Pool;
  readonly reviews: PostgresReviews;
  readonly namespaceId = randomUUID();
  repositoryId = '';

  constructor(url: string) {
    const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
    this.owner = createPool({ url, role: 'owner', poolSize: 4, ...timeouts });
    this.jobs = createPool({ url, role: 'jobrunner', poolSize: 4, ...timeouts });
    this.reviews = new PostgresReviews(this.jobs);
  }

  async open(): Promise<void> {
    const name = `user-${this.namespaceId.slice(0, 8)}`;
    await this.owner.query(`INSERT INTO namespace (id, name, kind) VALUES ($1, $2, 'user')`, [this.namespaceId, name]);
    this.repositoryId = await this.repository();
  }

  async close(): Promise<void> {
    await Promise.all([this.owner.end(), this.jobs.end()]);
  }

  async repository(): Promise<string> {
    const id = randomUUID();
    await this.owner.query('INSERT INTO repository (id, namespace_id, name) VALUES ($1, $2, $3)', [
      id,
      this.namespaceId,
      `user/${id}`,
    ]);
    return id;
  }

  async manifest({
    age = '0',
    deletedAge,
    subject,
    in: repositoryId = this.repositoryId,
  }: ManifestRow = {}): Promise<RowKey> {
    const digest = Buffer.concat([Buffer.of(1), randomBytes(32)]);
    const { rows } = await this.owner.query<{ id: string }>(
      `INSERT INTO manifest (repository_id, digest, media_type, payload, subject_digest, pushed_at, deleted_at)
       VALUES ($1, $2, 'application/x-test', '{}', $3, now() - $4::interval, now() - $5::interval) RETURNING id`,
      [repositoryId, digest, subject ?? null, age, deletedAge ?? null],
    );
    return { id: rows[0]?.id ?? '', digest };
  }

  async blob(): Promise<Buffer> {
    const digest = Buffer.concat([Buffer.of(1), randomBytes(32)]);
    await this.owner.query('INSERT INTO blob (digest, size_bytes, object_key) VALUES ($1, 7, $2)', [
      digest,
      randomUUID(),
    ]);
    return digest;
  }

  async link(digest: Buffer, into = this.repositoryId): Promise<void> {
    await this.owner.query('INSERT INTO repository_blob (repository_id, digest) VALUES ($1, $2)', [into, digest]);
  }

  /** A tag of its own, or the one of that name. */
  async tag({ id }: RowKey, name = randomUUID()): Promise<string> {
    const values = [this.repositoryId, name, id];
    await this.owner.query('INSERT INTO tag (repository_id, name, manifest_id) VALUES ($1, $2, $3)', values);
    return name;
  }

  /** The history of a tag that left the manifest. */
  async left({ digest }: RowKey, age = '0'): Promise<void> {
    await this.owner.query(
      `INSERT INTO tag_history (repository_id, name, previous_digest, changed_at)
       VALUES ($1, 'gone', $2, now() - $3::interval)`,
      [this.repositoryId, digest, age],
    );
  }

  async list(parent: RowKey, child: RowKey): Promise<void> {
    await this.owner.query('INSERT INTO manifest_child (parent_id, child_id) VALUES ($1, $2)', [parent.id, child.id]);
  }

  async refer({ id }: RowKey, digest: Buffer): Promise<void> {
    await this.owner.query(
      'INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes) VALUES ($1, $2, $3, 7)',
      [id, this.repositoryId, digest],
    );
  }

  async awaits({ id }: RowKey, digest: Buffer, kind: 'blob' | 'manifest'): Promise<void> {
    await this.owner.query(
      'INSERT INTO sparse_reference (repository_id, digest, manifest_id, kind, size_bytes) VALUES ($1, $2, $3, $4, 7)',
      [this.repositoryId, digest, id, kind],
    );
  }

  async reviewOf({ id }: RowKey, due = '0', orphaned: string | null = null): Promise<void> {
    await this.owner.query(
      `INSERT INTO manifest_review (manifest_id, reason, due_at, orphaned_at)
       VALUES ($1, 'test', now() + $2::interval, now() - $3::interval)`,
      [id, due, orphaned],
    );
  }

  async linkReview(digest: Buffer, due = '0', into = this.repositoryId): Promise<void> {
    await this.owner.query(
      `INSERT INTO link_review (repository_id, digest, reason, due_at) VALUES ($1, $2, 'test', now() + $3::interval)`,
      [into, digest, due],
    );
  }

  async blobReview(digest: Buffer, reason = 'unlinked'): Promise<void> {
    await this.owner.query('INSERT INTO blob_review (digest, reason, due_at) VALUES ($1, $2, now())', [digest, reason]);
  }

  async use({ id }: RowKey, age: string, table = 'manifest_use'): Promise<void> {
    await this.owner.query(`INSERT INTO ${table} (manifest_id, used_at) VALUES ($1, now() - $2::interval)`, [id, age]);
  }

  /** Rounds until nothing is due. */
  collect(terms: Partial<ReviewTerms> = {}, failures: ReviewFailure[] = []): Promise<ReviewTally> {
    return collectAll(this.reviews, terms, (failure) => void failures.push(failure));
  }

  async has(table: string, column: string, value: unknown): Promise<boolean> {
    const { rows } = await this.owner.query(`SELECT FROM ${table} WHERE ${column} = $1`, [value]);
    return rows.length > 0;
  }

  /** Seconds until the manifest's review is due; undefined where there is none. */
  async dueIn({ id }: RowKey): Promise<number | undefined> {
    const { rows } = await this.owner.query<{ seconds: number }>(
      'SELECT extract(epoch FROM due_at - now())::float8 AS seconds FROM manifest_review WHERE manifest_id = $1',
      [id],
    );
    return rows[0]?.seconds;
  }
}
