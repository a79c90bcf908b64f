import { Client, escapeIdentifier } from 'pg';
import { QUEUE_SCHEMA } from './queue-place.js';

/** Key of the advisory lock that lets one process grant at a time: two that grant at once fail ("entqueue" in ASCII). */
const LOCK_KEY = '7308907275918603621';

export interface MigrateQueuesOptions {
  /** A login that may create schemas. */
  readonly connectionString: string;
  /** Database roles that may use the queues. */
  readonly roles?: readonly string[];
}

/**
 * Creates or upgrades the tables of queues that live in Postgres; a part of the migrate command, since services may not change
 * the schema. Safe to run at the same time in several processes, and again.
 */
export async function migrateQueues({ connectionString, roles = [] }: MigrateQueuesOptions): Promise<void> {
  const { runMigrations } = await import('bullmq');
  const client = new Client({ connectionString, application_name: 'entrepot migrate queues' });
  await client.connect();
  try {
    await runMigrations(client, QUEUE_SCHEMA);
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK_KEY})`);
    for (const role of roles) await grantUse(client, escapeIdentifier(role));
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function grantUse(client: Client, role: string): Promise<void> {
  await client.query(`GRANT USAGE ON SCHEMA ${QUEUE_SCHEMA} TO ${role}`);
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${QUEUE_SCHEMA} TO ${role}`);
  await client.query(`GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${QUEUE_SCHEMA} TO ${role}`);
  await client.query(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${QUEUE_SCHEMA} TO ${role}`);
}
