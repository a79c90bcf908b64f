import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Violation } from '../model/violation.js';

const POLL_MS = 250;
/** Without any progress for so long, what is left is left for good; reviews that failed come back before that. */
const STANDSTILL_MS = 240_000;

/** What garbage collection has still to do, by table. A review that is due at infinity waits for nothing. */
const OWED = `
  SELECT 'manifest reviews' AS what, count(*)::int AS n FROM manifest_review WHERE isfinite(due_at)
  UNION ALL SELECT 'link reviews', count(*)::int FROM link_review
  UNION ALL SELECT 'blob reviews', count(*)::int FROM blob_review
  UNION ALL SELECT 'doomed objects', count(*)::int FROM doomed_object
  UNION ALL SELECT 'uploads', count(*)::int FROM upload
  UNION ALL SELECT 'deleted manifests', count(*)::int FROM manifest WHERE deleted_at IS NOT NULL
  UNION ALL SELECT 'deleted repositories', count(*)::int FROM repository WHERE deleted_at IS NOT NULL`;

/** Waits until the collectors have nothing left to do (INV-6); says how long that took. */
export async function untilQuiet(database: Pool, say: (line: string) => void): Promise<string> {
  const beganMs = performance.now();
  let changedMs = beganMs;
  let last = '';
  for (;;) {
    const { rows } = await database.query<{ what: string; n: number }>(OWED);
    const owed = rows.filter(({ n }) => n > 0);
    const nowMs = performance.now();
    if (owed.length === 0)
      return `collected to the end ${((nowMs - beganMs) / 1000).toFixed(1)} s after the last operation`;
    const left = owed.map(({ what, n }) => `${n} ${what}`).join(', ');
    if (left !== last) {
      say(`left to collect: ${left}`);
      changedMs = nowMs;
      last = left;
    }
    if (nowMs - changedMs > STANDSTILL_MS) throw new Violation('INV-6', `never collected: ${left}`);
    await delay(POLL_MS);
  }
}
