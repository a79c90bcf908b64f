import { HEARTBEAT_EXPIRY_MS } from '@entrepot/jobs';
import type pg from 'pg';
import { digestText } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

/** Work that waits longer than it should, as the tables have it. Ages are by the database's clock. */
export interface WorkFacts {
  /** Blobs in quarantine, and some of them by digest and fault. */
  readonly quarantined: { readonly blobs: number; readonly examples: readonly string[] };
  /** Objects that were due to be removed from their store, an hour ago or earlier. */
  readonly overdueRemovals: number;
  /** How long the oldest review is overdue. */
  readonly overdueReviewSeconds: number;
  /** Age of the oldest change that is not yet noted beside the objects. */
  readonly unrecordedSeconds: number;
  /** Processes that take jobs now. */
  readonly workers: number;
  /** Age of the oldest job that waits though it is due. */
  readonly waitingJobSeconds: number;
  /** Jobs that failed in the last day, and that nobody tries again: their kinds. */
  readonly deadJobKinds: readonly string[];
  /** Kinds that do not run by themselves, since an operator turned them off. */
  readonly kindsTurnedOff: readonly string[];
}

interface WorkRow {
  readonly quarantined: string;
  readonly quarantined_examples: string[];
  readonly overdue_removals: string;
  readonly overdue_review_seconds: number;
  readonly unrecorded_seconds: number;
  readonly workers: string;
  readonly waiting_job_seconds: number;
  readonly dead_job_kinds: string[];
  readonly kinds_turned_off: string[];
}

/** Asks in one round trip, by indexes only. */
export async function inspectWork(pool: pg.Pool): Promise<WorkFacts> {
  const [row] = await repeatRows<WorkRow>(pool, { text: WORK });
  if (!row) throw new Error('the server gave no facts');
  return {
    quarantined: { blobs: Number(row.quarantined), examples: row.quarantined_examples },
    overdueRemovals: Number(row.overdue_removals),
    overdueReviewSeconds: row.overdue_review_seconds,
    unrecordedSeconds: row.unrecorded_seconds,
    workers: Number(row.workers),
    waitingJobSeconds: row.waiting_job_seconds,
    deadJobKinds: row.dead_job_kinds,
    kindsTurnedOff: row.kinds_turned_off,
  };
}

const secondsSince = (moment: string): string => `coalesce(extract(epoch FROM now() - (${moment}))::int, 0)`;

const WORK = `
  SELECT
    (SELECT count(*) FROM blob WHERE fault IS NOT NULL) AS quarantined,
    ARRAY (
      SELECT ${digestText('digest')} || ' ' || fault
      FROM blob WHERE fault IS NOT NULL ORDER BY fault_at LIMIT 3) AS quarantined_examples,
    (SELECT count(*) FROM (
      SELECT FROM doomed_object WHERE due_at < now() - interval '1 hour' LIMIT 100000) AS overdue) AS overdue_removals,
    greatest(
      ${secondsSince('SELECT min(due_at) FROM manifest_review WHERE due_at < now()')},
      ${secondsSince('SELECT min(due_at) FROM link_review WHERE due_at < now()')},
      ${secondsSince('SELECT min(due_at) FROM blob_review WHERE due_at < now()')}) AS overdue_review_seconds,
    ${secondsSince('SELECT marked_at FROM recovery_mark ORDER BY id LIMIT 1')} AS unrecorded_seconds,
    (SELECT count(*) FROM worker WHERE heartbeat_at > now() - ${HEARTBEAT_EXPIRY_MS} * interval '1 millisecond') AS workers,
    ${secondsSince(`SELECT min(scheduled_at) FROM job WHERE status = 'waiting' AND scheduled_at < now()`)} AS waiting_job_seconds,
    ARRAY (
      SELECT DISTINCT kind FROM job
      WHERE is_dead AND finished_at > now() - interval '1 day' ORDER BY kind) AS dead_job_kinds,
    ARRAY (SELECT kind FROM schedule WHERE next_at IS NULL ORDER BY kind) AS kinds_turned_off`;
