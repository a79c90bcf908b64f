import type { NamespaceRule, UntaggedRule, UntaggedRules } from '@entrepot/content';
import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';

export class PostgresUntaggedRules implements UntaggedRules {
  constructor(private readonly pool: pg.Pool) {}

  /** The collector compares the rule with the one it knew (note-terms.ts): nobody has to be told. */
  async set(namespace: string, rule: UntaggedRule, actorName: string): Promise<boolean> {
    const rows = await repeatRows(this.pool, {
      text: `
        WITH changed AS (
          UPDATE namespace SET untagged = nullif($2, 'default') WHERE name = $1 RETURNING name),
        audit AS (
          INSERT INTO audit_event (actor_name, action, target, detail)
          SELECT $3, 'namespace.untagged_set', name, jsonb_build_object('untagged', $2::text) FROM changed)
        SELECT name FROM changed`,
      values: [namespace, rule, actorName],
    });
    return rows.length > 0;
  }

  list({ last = '', limit }: { readonly last?: string; readonly limit: number }): Promise<NamespaceRule[]> {
    return repeatRows<NamespaceRule & pg.QueryResultRow>(this.pool, {
      text: `
        SELECT name, kind, coalesce(untagged, 'default') AS untagged FROM namespace
        WHERE name > $1 ORDER BY name LIMIT $2`,
      values: [last, limit],
    });
  }
}
