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
  /** Kinds that last failed when they ran by themselves, within the last day. */
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

/** The kind of job `j` has been done since, or its schedule has fired and left nothing to be seen: there was nothing to do. */
const IS_MADE_UP_FOR = `(
  EXISTS (SELECT FROM job d WHERE d.kind = j.kind AND d.status = 'done' AND d.finished_at > j.finished_at)
  OR EXISTS (
    SELECT FROM schedule s WHERE s.kind = j.kind AND s.last_fired_at > j.finished_at AND NOT EXISTS (
      SELECT FROM job l WHERE l.kind = j.kind AND l.is_scheduled AND l.created_at > j.finished_at)))`;

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
      SELECT DISTINCT kind FROM job j
      WHERE is_dead AND is_scheduled AND finished_at > now() - interval '1 day' AND NOT ${IS_MADE_UP_FOR}
      ORDER BY kind) AS dead_job_kinds,
    ARRAY (SELECT kind FROM schedule WHERE next_at IS NULL ORDER BY kind) AS kinds_turned_off`;
