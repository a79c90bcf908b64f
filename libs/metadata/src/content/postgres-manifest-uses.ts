import type { ManifestUses } from '@entrepot/content';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

export class PostgresManifestUses implements ManifestUses {
  constructor(private readonly pool: pg.Pool) {}

  /** No disk is waited for: what is lost with the server's last moments is a mark among many. */
  async mark(manifestIds: readonly string[]): Promise<number | undefined> {
    const [row] = await queryRows<{ shortest_ms: number | null }>(this.pool, {
      name: 'mark-manifest-uses',
      text: `
        WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true)),
        marked AS (
          INSERT INTO manifest_use_mark (manifest_id) SELECT id FROM relaxed, unnest($1::bigint[]) AS m (id))
        SELECT min(extract(epoch FROM untagged::interval) * 1000)::float8 AS shortest_ms
        FROM namespace WHERE untagged <> 'keep'`,
      values: [manifestIds],
    });
    return row?.shortest_ms ?? undefined;
  }
}
