import { nextFiring, parseSchedule, type ScheduleRecord } from '@entrepot/jobs';
import type pg from 'pg';
import { runUnitOfWork, type Queryable } from '../database/unit-of-work.js';

export interface ScheduleRow {
  readonly kind: string;
  readonly default_spec: string;
  readonly override_spec: string | null;
  readonly set_by: string | null;
  readonly retries: number;
  readonly next_at: Date | null;
  readonly last_fired_at: Date | null;
}

export const SCHEDULE_COLUMNS = 'kind, default_spec, override_spec, set_by, retries, next_at, last_fired_at';

export function toSchedule(row: ScheduleRow): ScheduleRecord {
  return {
    kind: row.kind,
    fallback: row.default_spec,
    override: row.override_spec ?? undefined,
    setBy: row.set_by ?? undefined,
    retries: row.retries,
    nextAt: row.next_at ?? undefined,
    lastFiredAt: row.last_fired_at ?? undefined,
  };
}

/** Throws `ScheduleError` where the override is no schedule. */
export async function changeSchedule(
  pool: pg.Pool,
  { kind, override, by }: { readonly kind: string; readonly override: string | undefined; readonly by: string },
): Promise<ScheduleRecord | undefined> {
  if (override !== undefined) parseSchedule(override);
  return runUnitOfWork(pool, async (tx) => {
    const { rows } = await tx.query<{ default_spec: string; now: Date }>(
      'SELECT default_spec, now() FROM schedule WHERE kind = $1 FOR UPDATE',
      [kind],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const changed = await tx.query<ScheduleRow>(
      `UPDATE schedule SET override_spec = $2, set_by = $3, next_at = $4 WHERE kind = $1 RETURNING ${SCHEDULE_COLUMNS}`,
      [kind, override ?? null, override === undefined ? null : by, nextAt(override ?? row.default_spec, row.now)],
    );
    return changed.rows[0] && toSchedule(changed.rows[0]);
  });
}

/** Writes down what a kind's default is; a time that was set by the same schedule stays, so that starts put nothing off. */
export async function declareSchedule(
  tx: Queryable,
  { kind, schedule, retries }: { readonly kind: string; readonly schedule: string; readonly retries: number },
): Promise<void> {
  const { rows } = await tx.query<{ now: Date }>('SELECT now()');
  const next = nextAt(schedule, rows[0]?.now ?? new Date());
  await tx.query(
    `INSERT INTO schedule AS s (kind, default_spec, retries, next_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (kind) DO UPDATE SET default_spec = excluded.default_spec, retries = excluded.retries,
       next_at = CASE WHEN s.override_spec IS NULL AND s.default_spec <> excluded.default_spec THEN excluded.next_at
                 ELSE s.next_at END`,
    [kind, schedule, retries, next],
  );
}

/**
 * Adds one job of each schedule that is due, unless one of its kind waits already. What fell due several times while nobody
 * looked is done once. Whoever has the row's lock fires; others pass it over.
 */
export async function fireSchedules(tx: Queryable, kinds: readonly string[]): Promise<void> {
  const { rows } = await tx.query<ScheduleRow & { now: Date }>(
    `SELECT ${SCHEDULE_COLUMNS}, now() FROM schedule WHERE next_at <= now() AND kind = ANY ($1)
     ORDER BY kind FOR UPDATE SKIP LOCKED`,
    [kinds],
  );
  for (const row of rows) {
    const next = nextAt(row.override_spec ?? row.default_spec, row.now, row.next_at ?? row.now);
    await tx.query('UPDATE schedule SET next_at = $2, last_fired_at = now() WHERE kind = $1', [row.kind, next]);
    await addUnlessWaiting(tx, row.kind);
  }
}

/** Adds a scheduled job of the kind, unless one that is due waits, or the schedule is off. */
export async function addUnlessWaiting(tx: Queryable, kind: string): Promise<void> {
  await tx.query(
    `INSERT INTO job (kind, requested_by, is_scheduled, retries_left, retries_total, capacity)
     SELECT kind, 'schedule', true, retries, retries, jsonb_build_object(kind, 1) FROM schedule
     WHERE kind = $1 AND next_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM job w WHERE w.status = 'waiting' AND w.scheduled_at <= now() AND w.kind = $1)`,
    [kind],
  );
}

function nextAt(spec: string, now: Date, slot: Date = now): Date | null {
  const next = nextFiring(parseSchedule(spec), now.getTime(), slot.getTime());
  return next === undefined ? null : new Date(next);
}
