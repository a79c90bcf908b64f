import type { DrawnRecords, RecoveryLease, RecoveryLimits } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';
import {
  AWAITED,
  MANIFEST_STATE,
  NAMESPACE_STATE,
  REPOSITORY_STATE,
  TAG_STATE,
  toRecord,
  type MarkedRow,
} from './recovery-rows.js';

interface DrawnRow extends MarkedRow {
  readonly mark_ids: readonly string[];
  readonly has_more: boolean;
}

/**
 * Two statements of one transaction. The first takes the number, and with it the row's lock: whoever takes a higher one
 * waits for it, and reads the state later. The second reads marks and state as of one moment, so that no tag is said to
 * point at a manifest whose mark it did not see. A repository that is being emptied is gone.
 */
export async function drawRecords(
  tx: Queryable,
  { leaseId, driver }: RecoveryLease,
  limits: RecoveryLimits,
): Promise<DrawnRecords | undefined> {
  const { rows: numbers } = await tx.query<{ log_id: string; last_number: string; written_number: string }>({
    name: 'take-recovery-number',
    text: `
      UPDATE recovery_state SET last_number = last_number + 1 WHERE lease_id = $1 AND driver = $2
      RETURNING log_id, last_number, written_number`,
    values: [leaseId, driver],
  });
  const [position] = numbers;
  if (position === undefined) return undefined;
  const { rows } = await tx.query<DrawnRow>({
    name: 'draw-recovery-records',
    text: DRAW,
    values: [limits.records, limits.payloadBytes],
  });
  if (rows.length === 0) return undefined;
  return {
    number: Number(position.last_number),
    previousNumber: Number(position.written_number),
    logId: position.log_id,
    records: rows.map(toRecord),
    markIds: rows.flatMap((row) => row.mark_ids),
    hasMore: rows.some((row) => row.has_more),
  };
}

const DRAW = `
  WITH batch AS MATERIALIZED (SELECT id, kind, owner_id, key FROM recovery_mark ORDER BY id LIMIT $1 + 1),
  marked AS (
    SELECT kind, owner_id, key, array_agg(id::text) AS mark_ids, min(id) AS first_id
    FROM (SELECT * FROM batch ORDER BY id LIMIT $1) AS b GROUP BY kind, owner_id, key),
  found AS (
    SELECT d.*, m.id AS manifest_id, coalesce(octet_length(m.payload), 0) AS payload_bytes
    FROM marked d LEFT JOIN manifest m ON d.kind = 'manifest' AND m.repository_id = d.owner_id AND m.digest = d.key),
  sized AS (
    SELECT *, sum(payload_bytes) OVER (ORDER BY first_id) - payload_bytes AS bytes_before FROM found),
  drawn AS (SELECT * FROM sized WHERE bytes_before < $2)
  SELECT d.kind, d.owner_id, d.key, d.mark_ids, m.payload, ${AWAITED} AS awaited,
    (SELECT count(*) FROM batch) > $1 OR (SELECT count(*) FROM drawn) < (SELECT count(*) FROM marked) AS has_more,
    CASE d.kind WHEN 'manifest' THEN m.digest WHEN 'tag' THEN p.digest END AS digest,
    CASE
      WHEN n.id IS NOT NULL THEN ${NAMESPACE_STATE}
      WHEN r.id IS NOT NULL THEN ${REPOSITORY_STATE}
      WHEN m.id IS NOT NULL THEN ${MANIFEST_STATE}
      WHEN t.name IS NOT NULL THEN ${TAG_STATE}
    END AS state
  FROM drawn d
  LEFT JOIN namespace n ON d.kind = 'namespace' AND n.id = d.owner_id
  LEFT JOIN repository r ON d.kind = 'repository' AND r.id = d.owner_id AND r.removal_began_at IS NULL
  LEFT JOIN manifest m ON m.id = d.manifest_id
  LEFT JOIN tag t ON t.repository_id = d.owner_id
    AND t.name = CASE WHEN d.kind = 'tag' THEN convert_from(d.key, 'UTF8') END
  LEFT JOIN manifest p ON p.id = t.manifest_id
  ORDER BY d.first_id`;
