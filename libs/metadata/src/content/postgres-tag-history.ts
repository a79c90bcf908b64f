import type { TagChange, TagHistory, TagHistoryQuery } from '@entrepot/content';
import type { Tag } from '@entrepot/oci';
import type pg from 'pg';
import { digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

interface ChangeRow {
  readonly id: string;
  readonly name: Tag;
  readonly digest: Buffer | null;
  readonly previous_digest: Buffer | null;
  readonly changed_at: Date;
  readonly changed_by: string | null;
}

export class PostgresTagHistory implements TagHistory {
  constructor(private readonly pool: pg.Pool) {}

  async changes({ repositoryId, tag, before, limit }: TagHistoryQuery): Promise<TagChange[]> {
    const rows = await repeatRows<ChangeRow>(this.pool, {
      name: tag === undefined ? 'history-of-repository' : 'history-of-tag',
      text: `
        SELECT h.id, h.name, h.digest, h.previous_digest, h.changed_at, coalesce(h.changed_by_name, n.name) AS changed_by
        FROM tag_history h LEFT JOIN namespace n ON n.id = h.changed_by
        WHERE h.repository_id = $1 ${tag === undefined ? 'AND $2::text IS NULL' : 'AND h.name = $2'}
          AND ($3::bigint IS NULL OR h.id < $3)
        ORDER BY h.id DESC LIMIT $4`,
      values: [repositoryId, tag ?? null, before ?? null, limit],
    });
    return rows.map(toChange);
  }
}

function toChange(row: ChangeRow): TagChange {
  return {
    id: row.id,
    tag: row.name,
    digest: row.digest === null ? undefined : digestFromBytes(row.digest),
    previousDigest: row.previous_digest === null ? undefined : digestFromBytes(row.previous_digest),
    changedAt: row.changed_at,
    changedBy: row.changed_by ?? 'unknown',
  };
}
