import type pg from 'pg';
import { digestText } from '../database/digest-bytes.js';
import { DatabaseUnavailable, sqlState } from '../database/errors.js';
import { runUnitOfWork } from '../database/unit-of-work.js';

/** What must hold at any moment, whatever runs: a query that finds rows for which it does not. */
export interface Invariant {
  /** What is found where it does not hold, as `fsck` names it. */
  readonly kind: string;
  /** As a sentence that should be true. */
  readonly name: string;
  /** Columns `found` (in words) and `digest`, `repository`, `object_key` (texts or null); further ones are for `mend`. */
  readonly text: string;
  /** A statement that puts it right for the rows of `broken`; none where only people can. */
  readonly mend?: (graceMs: number) => string;
}

/** A look that should have been due is due after the grace time. */
const due = (graceMs: number): string => `now() + ${graceMs} * interval '1 millisecond'`;
const undoom = (): string => 'DELETE FROM doomed_object d USING broken WHERE d.object_key = broken.object_key';

/** Cheap ones first: what is not looked at in time is at the end. Foreign keys hold by themselves, and are not repeated. */
export const INVARIANTS: readonly Invariant[] = [
  {
    kind: 'blob-doomed',
    name: 'no object that a blob needs is doomed',
    text: `
      SELECT ${digestText('b.digest')} AS found, ${digestText('b.digest')} AS digest, NULL AS repository, b.object_key
      FROM doomed_object d JOIN blob b ON b.object_key = d.object_key`,
    mend: undoom,
  },
  {
    kind: 'upload-doomed',
    name: 'no object of a running upload is doomed',
    text: `
      SELECT u.id::text AS found, NULL AS digest, r.name AS repository, u.object_key
      FROM doomed_object d JOIN upload u ON u.object_key = d.object_key JOIN repository r ON r.id = u.repository_id`,
    mend: undoom,
  },
  {
    kind: 'deleted-repository-uploads',
    name: 'a deleted repository has no upload',
    text: `
      SELECT r.deleted_name AS found, NULL AS digest, r.deleted_name AS repository, NULL AS object_key FROM repository r
      WHERE r.deleted_at IS NOT NULL AND EXISTS (SELECT FROM upload u WHERE u.repository_id = r.id)`,
  },
  {
    kind: 'tag-dangling',
    name: 'a tag points at a manifest of its repository that is not deleted',
    text: `
      SELECT r.name || ':' || t.name AS found, ${digestText('m.digest')} AS digest, r.name AS repository, NULL AS object_key
      FROM tag t JOIN manifest m ON m.id = t.manifest_id JOIN repository r ON r.id = t.repository_id
      WHERE m.repository_id <> t.repository_id OR m.deleted_at IS NOT NULL`,
  },
  {
    kind: 'index-entry-missing',
    name: 'the entries of an index are in its repository, and not deleted before it',
    text: `
      SELECT r.name || '@' || ${digestText('p.digest')} AS found, ${digestText('e.digest')} AS digest, r.name AS repository,
        NULL AS object_key
      FROM manifest_child c JOIN manifest p ON p.id = c.parent_id JOIN manifest e ON e.id = c.child_id
      JOIN repository r ON r.id = p.repository_id
      WHERE e.repository_id <> p.repository_id OR (p.deleted_at IS NULL AND e.deleted_at IS NOT NULL)`,
  },
  {
    kind: 'manifest-without-review',
    name: 'a manifest that nothing needs is going to be reviewed',
    text: `
      SELECT r.name || '@' || ${digestText('m.digest')} AS found, ${digestText('m.digest')} AS digest, r.name AS repository,
        NULL AS object_key, m.id AS manifest_id
      FROM manifest m JOIN repository r ON r.id = m.repository_id
      WHERE m.deleted_at IS NULL AND r.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM manifest_review v WHERE v.manifest_id = m.id)
        AND NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = m.id)
        AND NOT EXISTS (SELECT FROM manifest_child c WHERE c.child_id = m.id)
        AND NOT EXISTS (
          SELECT FROM sparse_reference s
          WHERE s.repository_id = m.repository_id AND s.digest = m.digest AND s.kind = 'manifest')
        AND NOT EXISTS (
          SELECT FROM manifest n WHERE n.repository_id = m.repository_id AND n.subject_digest = m.digest)
        AND NOT EXISTS (
          SELECT FROM manifest n WHERE n.repository_id = m.repository_id AND n.digest = m.subject_digest)`,
    mend: (graceMs) => `
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'found by fsck', ${due(graceMs)} FROM manifest m JOIN broken ON broken.manifest_id = m.id
      ORDER BY m.id FOR KEY SHARE OF m
      ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
  },
  {
    kind: 'blob-size-differs',
    name: 'a blob has the size that manifests give it',
    text: `
      SELECT DISTINCT ${digestText('b.digest')} AS found, ${digestText('b.digest')} AS digest, NULL AS repository, b.object_key
      FROM manifest_blob n JOIN blob b ON b.digest = n.digest WHERE b.size_bytes <> n.size_bytes`,
  },
  {
    kind: 'blob-unlinked-without-review',
    name: 'a blob that no repository holds is going to be reviewed',
    text: `
      SELECT ${digestText('b.digest')} AS found, ${digestText('b.digest')} AS digest, NULL AS repository, b.object_key,
        b.digest AS blob_digest
      FROM blob b
      WHERE NOT EXISTS (SELECT FROM repository_blob l WHERE l.digest = b.digest)
        AND NOT EXISTS (SELECT FROM blob_review v WHERE v.digest = b.digest)`,
    mend: (graceMs) => `
      INSERT INTO blob_review (digest, reason, due_at)
      SELECT blob_digest, 'found by fsck', ${due(graceMs)} FROM broken ORDER BY blob_digest
      ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
  },
  {
    kind: 'link-unreferenced-without-review',
    name: 'a link that no manifest needs is going to be reviewed',
    text: `
      SELECT r.name || '@' || ${digestText('l.digest')} AS found, ${digestText('l.digest')} AS digest, r.name AS repository,
        NULL AS object_key, l.repository_id, l.digest AS blob_digest
      FROM repository_blob l JOIN repository r ON r.id = l.repository_id
      WHERE NOT EXISTS (SELECT FROM manifest_blob n WHERE n.repository_id = l.repository_id AND n.digest = l.digest)
        AND NOT EXISTS (SELECT FROM sparse_reference s WHERE s.repository_id = l.repository_id AND s.digest = l.digest)
        AND NOT EXISTS (SELECT FROM link_review v WHERE v.repository_id = l.repository_id AND v.digest = l.digest)
        AND NOT EXISTS (SELECT FROM blob_review v WHERE v.digest = l.digest)`,
    mend: (graceMs) => `
      INSERT INTO link_review (repository_id, digest, reason, due_at)
      SELECT repository_id, blob_digest, 'found by fsck', ${due(graceMs)} FROM broken ORDER BY repository_id, blob_digest
      ON CONFLICT (repository_id, digest) DO UPDATE
      SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at)`,
  },
];

export interface InvariantReport {
  readonly name: string;
  /** `unfinished`: it would have taken too long. */
  readonly outcome: 'held' | 'broken' | 'unfinished';
  /** Some of those for which it does not hold. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;
/** SQLSTATE of a statement that took longer than it may. */
const QUERY_CANCELED = '57014';

/** Looks at each invariant for `limitMs` at most, in a snapshot of its own. */
export async function checkInvariants(pool: pg.Pool, limitMs: number): Promise<InvariantReport[]> {
  const reports: InvariantReport[] = [];
  for (const invariant of INVARIANTS) reports.push(await checkInvariant(pool, invariant, limitMs));
  return reports;
}

async function checkInvariant(pool: pg.Pool, { name, text }: Invariant, limitMs: number): Promise<InvariantReport> {
  try {
    const examples = await runUnitOfWork(pool, async (tx) => {
      await tx.query(`SET LOCAL statement_timeout = ${limitMs}`);
      const { rows } = await tx.query<{ found: string }>(`SELECT found FROM (${text}) AS broken LIMIT ${EXAMPLES}`);
      return rows.map(({ found }) => found);
    });
    return { name, outcome: examples.length === 0 ? 'held' : 'broken', examples };
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable) || sqlState(error.cause) !== QUERY_CANCELED) throw error;
    return { name, outcome: 'unfinished', examples: [] };
  }
}
