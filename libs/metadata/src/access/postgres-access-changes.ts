import type { AccessChangeFeed, AccessChanges } from '@entrepot/access';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

interface ChangeRow {
  readonly kind: 'account' | 'repository';
  readonly id: string;
  readonly version: string;
}

/** Asked by each data plane once a second: two partial indexes, which hold nothing but rows that ever lost rights. */
const RECENT_CHANGES = `
  SELECT 'account' AS kind, id, access_version AS version FROM account
  WHERE access_version > 1 AND access_changed_at > now() - $1 * interval '1 millisecond'
  UNION ALL
  SELECT 'repository', id, access_version FROM repository
  WHERE access_version > 1 AND access_changed_at > now() - $1 * interval '1 millisecond'`;

export class PostgresAccessChanges implements AccessChangeFeed {
  constructor(private readonly pool: pg.Pool) {}

  async loadAccessChanges(windowMs: number): Promise<AccessChanges> {
    const rows = await queryRows<ChangeRow>(this.pool, {
      name: 'recent-access-changes',
      text: RECENT_CHANGES,
      values: [windowMs],
    });
    return { accounts: versionsOf(rows, 'account'), repositories: versionsOf(rows, 'repository') };
  }
}

function versionsOf(rows: readonly ChangeRow[], kind: ChangeRow['kind']): Map<string, number> {
  return new Map(rows.filter((row) => row.kind === kind).map((row) => [row.id, Number(row.version)]));
}
