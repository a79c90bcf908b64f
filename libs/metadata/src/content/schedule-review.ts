import type { Queryable } from '../database/unit-of-work.js';

/*
 * Review tasks are upserted with DO UPDATE, never DO NOTHING: a reviewer that is about to drop its task must not
 * swallow a new suspicion. Rows are touched in key order, so that two changes that share content do not deadlock.
 */

export interface ManifestReview {
  readonly manifestIds: readonly string[];
  readonly reason: string;
  readonly graceMs: number;
}

/** A manifest that is being removed is waited for, and one that is gone needs no review. */
export async function scheduleManifestReview(tx: Queryable, review: ManifestReview): Promise<void> {
  await tx.query({
    name: 'schedule-manifest-review',
    text: `
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT id, $2, now() + $3 * interval '1 millisecond' FROM manifest WHERE id = ANY ($1::bigint[])
      ORDER BY id FOR KEY SHARE
      ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
    values: [review.manifestIds, review.reason, review.graceMs],
  });
}

/**
 * Until when a link is promised for a grace time of so many milliseconds (a parameter such as `$4`): somewhat longer than that, so
 * that a HEAD which follows within minutes finds its own promise kept, and writes nothing.
 */
export function promisedUntil(graceMs: string): string {
  return `now() + ${graceMs} * interval '1 millisecond' + least(${graceMs} * interval '0.1 millisecond', interval '5 minutes')`;
}
