import type {
  DrawnRecords,
  RecoveryKind,
  RecoveryLease,
  RecoveryLimits,
  RecoveryPosition,
  RecoverySource,
  StatePage,
} from '@entrepot/content';
import type pg from 'pg';
import { repeatRows, runUnitOfWork } from '../database/unit-of-work.js';
import { drawRecords } from './draw-records.js';
import { readStatePage } from './read-state-page.js';

interface PositionRow {
  readonly log_id: string;
  readonly last_number: string;
  readonly written_number: string;
  readonly driver: string | null;
  readonly snapshot_bytes: string;
  readonly segment_count: string;
  readonly segment_bytes: string;
}

/** Marks are rows that triggers write; where the log stands is the one row of `recovery_state`. */
export class PostgresRecoverySource implements RecoverySource {
  constructor(private readonly pool: pg.Pool) {}

  async oldestMarkMs(): Promise<number | undefined> {
    const [row] = await repeatRows<{ age_ms: number }>(this.pool, {
      name: 'oldest-recovery-mark',
      text: `
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - marked_at) * 1000)::float8 AS age_ms
        FROM recovery_mark ORDER BY id LIMIT 1`,
    });
    return row?.age_ms;
  }

  /** Where the log stands, for whoever does not write it; undefined where there is no state of one. */
  async position(): Promise<RecoveryPosition | undefined> {
    const [row] = await repeatRows<PositionRow>(this.pool, {
      name: 'recovery-position',
      text: `
        SELECT log_id, last_number, written_number, driver, snapshot_bytes, segment_count, segment_bytes FROM recovery_state`,
    });
    return row && toPosition(row);
  }

  async hasLog(): Promise<boolean> {
    const rows = await repeatRows(this.pool, {
      name: 'has-recovery-log',
      text: 'SELECT driver FROM recovery_state WHERE driver IS NOT NULL',
    });
    return rows.length > 0;
  }

  async lease({ leaseId }: RecoveryLease, leaseMs: number): Promise<RecoveryPosition | undefined> {
    const [row] = await repeatRows<PositionRow>(this.pool, {
      name: 'lease-recovery-log',
      text: `
        UPDATE recovery_state SET lease_id = $1, lease_until = now() + $2 * interval '1 millisecond'
        WHERE lease_id = $1 OR lease_until IS NULL OR lease_until < now()
        RETURNING log_id, last_number, written_number, driver, snapshot_bytes, segment_count, segment_bytes`,
      values: [leaseId, leaseMs],
    });
    return row && toPosition(row);
  }

  async release({ leaseId }: RecoveryLease): Promise<void> {
    await repeatRows(this.pool, {
      name: 'release-recovery-log',
      text: 'UPDATE recovery_state SET lease_id = NULL, lease_until = NULL WHERE lease_id = $1',
      values: [leaseId],
    });
  }

  draw(lease: RecoveryLease, limits: RecoveryLimits): Promise<DrawnRecords | undefined> {
    return runUnitOfWork(this.pool, (tx) => drawRecords(tx, lease, limits));
  }

  async settle({ number, markIds }: DrawnRecords, sizeBytes: number): Promise<void> {
    await repeatRows(this.pool, {
      name: 'settle-recovery-marks',
      text: `
        WITH gone AS (DELETE FROM recovery_mark WHERE id = ANY ($1::bigint[]))
        UPDATE recovery_state SET written_number = greatest(written_number, $2),
          segment_count = segment_count + 1, segment_bytes = segment_bytes + $3`,
      values: [markIds, number, sizeBytes],
    });
  }

  async beginSnapshot({ leaseId }: RecoveryLease, atLeast: number): Promise<number | undefined> {
    const [row] = await repeatRows<{ last_number: string }>(this.pool, {
      name: 'begin-recovery-snapshot',
      text: `
        UPDATE recovery_state SET last_number = greatest(last_number, $2) + 1 WHERE lease_id = $1 RETURNING last_number`,
      values: [leaseId, atLeast],
    });
    return row && Number(row.last_number);
  }

  page(kind: RecoveryKind, after: string | undefined, limits: RecoveryLimits): Promise<StatePage> {
    return readStatePage(this.pool, kind, { after, limits });
  }

  async finishSnapshot({ driver }: RecoveryLease, number: number, sizeBytes: number): Promise<void> {
    await repeatRows(this.pool, {
      name: 'finish-recovery-snapshot',
      text: `
        UPDATE recovery_state SET driver = $1, written_number = greatest(written_number, $2), snapshot_bytes = $3,
          segment_count = 0, segment_bytes = 0`,
      values: [driver, number, sizeBytes],
    });
  }
}

function toPosition(row: PositionRow): RecoveryPosition {
  return {
    logId: row.log_id,
    lastNumber: Number(row.last_number),
    writtenNumber: Number(row.written_number),
    ...(row.driver !== null && { driver: row.driver }),
    snapshotBytes: Number(row.snapshot_bytes),
    segmentCount: Number(row.segment_count),
    segmentBytes: Number(row.segment_bytes),
  };
}
