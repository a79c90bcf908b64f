import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';

/** What a database server and its catalogs say of themselves. */
export interface DatabaseFacts {
  /** As `server_version_num`: 150004 is 15.4. */
  readonly version: number;
  /** The server's clock. */
  readonly now: Date;
  /** It only replays what another one writes. */
  readonly isReplica: boolean;
  /** Constraints that were never checked for the rows that were there, and indexes that are not whole. */
  readonly invalidConstraints: readonly string[];
  readonly invalidIndexes: readonly string[];
  /** Transactions that are older than five minutes: nothing that they might see can be cleaned up. */
  readonly longTransactions: readonly {
    readonly seconds: number;
    readonly application: string;
    readonly pid: number;
  }[];
  readonly connections: { readonly open: number; readonly most: number };
  /** Settings by which a crash of the server loses what was acknowledged. */
  readonly unsafeSettings: readonly string[];
  /** Schemas that the jobrunner may use. */
  readonly jobrunnerSchemas: readonly string[];
}

interface FactsRow {
  readonly version: number;
  readonly now: Date;
  readonly is_replica: boolean;
  readonly invalid_constraints: string[];
  readonly invalid_indexes: string[];
  readonly long_transactions: DatabaseFacts['longTransactions'];
  readonly open: number;
  readonly most: number;
  readonly unsafe_settings: string[];
  readonly jobrunner_schemas: string[];
}

/** Asks in one round trip. */
export async function inspectDatabase(pool: pg.Pool): Promise<DatabaseFacts> {
  const [row] = await repeatRows<FactsRow>(pool, { text: FACTS });
  if (!row) throw new Error('the server gave no facts');
  return {
    version: row.version,
    now: row.now,
    isReplica: row.is_replica,
    invalidConstraints: row.invalid_constraints,
    invalidIndexes: row.invalid_indexes,
    longTransactions: row.long_transactions,
    connections: { open: row.open, most: row.most },
    unsafeSettings: row.unsafe_settings,
    jobrunnerSchemas: row.jobrunner_schemas,
  };
}

const FACTS = `
  SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now,
    pg_is_in_recovery() AS is_replica,
    ARRAY (
      SELECT conrelid::regclass || '.' || conname FROM pg_constraint
      WHERE NOT convalidated AND connamespace = 'public'::regnamespace ORDER BY 1) AS invalid_constraints,
    ARRAY (
      SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE NOT (i.indisvalid AND i.indisready) AND c.relnamespace = 'public'::regnamespace ORDER BY 1) AS invalid_indexes,
    coalesce((
      SELECT jsonb_agg(t) FROM (
        SELECT extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds, application_name AS application, pid
        FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND xact_start < clock_timestamp() - interval '5 minutes'
        ORDER BY xact_start LIMIT 5) AS t), '[]') AS long_transactions,
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS open,
    current_setting('max_connections')::int AS most,
    ARRAY (
      SELECT name || ' = ' || setting FROM pg_settings
      WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
        OR name = 'synchronous_commit' AND setting = 'off' ORDER BY 1) AS unsafe_settings,
    ARRAY (
      SELECT nspname::text FROM pg_namespace
      WHERE has_schema_privilege(to_regrole('entrepot_jobrunner')::oid, oid, 'USAGE') ORDER BY 1) AS jobrunner_schemas`;
