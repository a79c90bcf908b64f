import type pg from 'pg';
import { runUnitOfWork, type Queryable } from '../database/unit-of-work.js';
import { COUNT_BLOBS, countNamespaces, countRepositories } from './count-anew.js';
import { beginFold, foldChanges } from './fold-changes.js';

/** A figure of the account that is not what is there. */
export interface UsageDifference {
  readonly of: 'repository' | 'namespace' | 'total';
  /** Row id; empty for the total. */
  readonly id: string;
  readonly figure: string;
  readonly folded: number;
  readonly counted: number;
}

const BATCH = 100_000;
const FIGURES = ['manifests', 'logical_bytes', 'payload_bytes', 'blobs', 'blob_bytes'];
const TOTALS = ['blobs', 'blob_bytes'];

/**
 * Folds what was appended and counts everything anew, in one snapshot: exact also while content changes. Reads whole
 * tables. Resolves with the figures that differ; there should be none, ever.
 */
export async function usageDifferences(pool: pg.Pool): Promise<UsageDifference[]> {
  return runUnitOfWork(pool, async (tx) => {
    await beginFold(tx);
    while ((await foldChanges(tx, BATCH)).hasMore);
    return [
      ...(await differences(tx, 'repository', differing('usage_repository', countRepositories()))),
      ...(await differences(tx, 'namespace', differing('usage_namespace', countNamespaces()))),
      ...(await differences(tx, 'total', differingTotal())),
    ];
  });
}

async function differences(tx: Queryable, of: UsageDifference['of'], text: string): Promise<UsageDifference[]> {
  const { rows } = await tx.query<{ id: string; figure: string; folded: string; counted: string }>(text);
  return rows.map(({ id, figure, folded, counted }) => ({
    of,
    id,
    figure,
    folded: Number(folded),
    counted: Number(counted),
  }));
}

/** Rows of all figures on both sides, those that are nowhere counted as nothing. */
function differing(table: 'usage_repository' | 'usage_namespace', count: string): string {
  const key = table === 'usage_repository' ? 'repository_id' : 'namespace_id';
  return `
    SELECT ${key} AS id, v.figure, v.folded, v.counted
    FROM (${count}) AS c FULL JOIN ${table} f USING (${key}),
    LATERAL (VALUES ${FIGURES.map((figure) => `('${figure}', coalesce(f.${figure}, 0), coalesce(c.${figure}, 0))`).join(', ')})
      AS v (figure, folded, counted)
    WHERE v.folded <> v.counted
    ORDER BY 1, 2`;
}

function differingTotal(): string {
  return `
    SELECT '' AS id, v.figure, v.folded, v.counted
    FROM (${COUNT_BLOBS}) AS c, usage_total f,
    LATERAL (VALUES ${TOTALS.map((figure) => `('${figure}', f.${figure}, c.${figure})`).join(', ')})
      AS v (figure, folded, counted)
    WHERE v.folded <> v.counted`;
}
