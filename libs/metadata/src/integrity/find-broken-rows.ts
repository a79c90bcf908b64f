import type { ObjectKey } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { runUnitOfWork } from '../database/unit-of-work.js';
import { usageDifferences } from '../usage/usage-differences.js';
import { INVARIANTS, type Invariant } from './invariants.js';

/** Of one kind; what is beyond is found by the next look. */
const MAX_FOUND = 10_000;

/** A row, or several, for which an invariant does not hold. */
export interface BrokenRow {
  readonly kind: string;
  readonly found: string;
  readonly digest?: Digest;
  readonly repository?: string;
  readonly objectKey?: ObjectKey;
  readonly isRepaired: boolean;
}

export interface RowCheck {
  /** Put right what can be: reviews that are missing are due after the grace time. */
  readonly repairs: boolean;
  readonly graceMs: number;
}

/**
 * Looks for rows that contradict others. Each kind is looked for in a snapshot of its own, in which every change is there
 * as a whole or not at all: what is found is no matter of the moment. Reads whole tables.
 */
export async function* findBrokenRows(pool: pg.Pool, check: RowCheck): AsyncGenerator<BrokenRow> {
  for (const invariant of INVARIANTS) yield* await findBroken(pool, invariant, check);
  for (const { of, id, figure, folded, counted } of await usageDifferences(pool)) {
    const found = `${figure} of ${of} ${id} is ${folded} on the account, and ${counted} counted`;
    yield { kind: 'usage-differs', found, isRepaired: false };
  }
}

interface FoundRow {
  readonly found: string;
  readonly digest: Digest | null;
  readonly repository: string | null;
  readonly object_key: ObjectKey | null;
}

function findBroken(
  pool: pg.Pool,
  { kind, text, mend }: Invariant,
  { repairs, graceMs }: RowCheck,
): Promise<BrokenRow[]> {
  return runUnitOfWork(pool, async (tx) => {
    const { rows } = await tx.query<FoundRow>(`SELECT * FROM (${text}) AS broken LIMIT ${MAX_FOUND}`);
    const isRepaired = repairs && mend !== undefined && rows.length > 0;
    if (isRepaired) await tx.query(`WITH broken AS (${text}) ${mend(graceMs)}`);
    return rows.map(({ found, digest, repository, object_key: objectKey }) => ({
      kind,
      found,
      isRepaired,
      ...(digest !== null && { digest }),
      ...(repository !== null && { repository }),
      ...(objectKey !== null && { objectKey }),
    }));
  });
}
