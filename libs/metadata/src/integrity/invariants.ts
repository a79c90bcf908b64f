import type pg from 'pg';
import { DatabaseUnavailable, sqlState } from '../database/errors.js';
import { runUnitOfWork } from '../database/unit-of-work.js';

/** What must hold at any moment, whatever runs: a query that finds rows for which it does not, in words. */
export interface Invariant {
  /** As a sentence that should be true. */
  readonly name: string;
  /** One text column `found`. */
  readonly text: string;
}

const DIGEST = (column: string): string =>
  `CASE get_byte(${column}, 0) WHEN 1 THEN 'sha256:' ELSE 'sha512:' END || encode(substring(${column} FROM 2), 'hex')`;

/** Cheap ones first: what is not looked at in time is at the end. Foreign keys hold by themselves, and are not repeated. */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'no object that a blob needs is doomed',
    text: `SELECT ${DIGEST('b.digest')} AS found FROM doomed_object d JOIN blob b ON b.object_key = d.object_key`,
  },
  {
    name: 'no object of a running upload is doomed',
    text: 'SELECT u.id::text AS found FROM doomed_object d JOIN upload u ON u.object_key = d.object_key',
  },
  {
    name: 'a deleted repository has no upload',
    text: `
      SELECT r.deleted_name AS found FROM repository r
      WHERE r.deleted_at IS NOT NULL AND EXISTS (SELECT FROM upload u WHERE u.repository_id = r.id)`,
  },
  {
    name: 'a tag points at a manifest of its repository that is not deleted',
    text: `
      SELECT r.name || ':' || t.name AS found
      FROM tag t JOIN manifest m ON m.id = t.manifest_id JOIN repository r ON r.id = t.repository_id
      WHERE m.repository_id <> t.repository_id OR m.deleted_at IS NOT NULL`,
  },
  {
    name: 'the entries of an index are in its repository, and not deleted before it',
    text: `
      SELECT r.name || '@' || ${DIGEST('p.digest')} AS found
      FROM manifest_child c JOIN manifest p ON p.id = c.parent_id JOIN manifest e ON e.id = c.child_id
      JOIN repository r ON r.id = p.repository_id
      WHERE e.repository_id <> p.repository_id OR (p.deleted_at IS NULL AND e.deleted_at IS NOT NULL)`,
  },
  {
    name: 'a blob has the size that manifests give it',
    text: `
      SELECT DISTINCT ${DIGEST('b.digest')} AS found
      FROM manifest_blob n JOIN blob b ON b.digest = n.digest WHERE b.size_bytes <> n.size_bytes`,
  },
  {
    name: 'a blob that no repository holds is going to be reviewed',
    text: `
      SELECT ${DIGEST('b.digest')} AS found FROM blob b
      WHERE NOT EXISTS (SELECT FROM repository_blob l WHERE l.digest = b.digest)
        AND NOT EXISTS (SELECT FROM blob_review v WHERE v.digest = b.digest)`,
  },
  {
    name: 'a link that no manifest needs is going to be reviewed',
    text: `
      SELECT r.name || '@' || ${DIGEST('l.digest')} AS found
      FROM repository_blob l JOIN repository r ON r.id = l.repository_id
      WHERE NOT EXISTS (SELECT FROM manifest_blob n WHERE n.repository_id = l.repository_id AND n.digest = l.digest)
        AND NOT EXISTS (SELECT FROM sparse_reference s WHERE s.repository_id = l.repository_id AND s.digest = l.digest)
        AND NOT EXISTS (SELECT FROM link_review v WHERE v.repository_id = l.repository_id AND v.digest = l.digest)
        AND NOT EXISTS (SELECT FROM blob_review v WHERE v.digest = l.digest)`,
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
