import { Client } from 'pg';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../observe/logger.js';
import { createQueues } from './create-queues.js';
import type { Queues } from './create-queues.js';
import { migrateQueues } from './migrate-queues.js';
import { queuesSuite } from './queues.suite.js';

const database = withTestDatabase({ prepare: (url) => migrateQueues({ connectionString: url }) });

async function openQueues(service: string, lines: string[] = []): Promise<Queues> {
  const logger = createLogger(
    { level: 'warn', format: 'json' },
    { service, destination: { write: (line) => lines.push(line) } },
  );
  const queues = await createQueues({ service, logger, connectionString: database.url });
  onTestFinished(() => queues.close());
  return queues;
}

describe('queues in Postgres', () => {
  it('keeps its tables in a schema of its own', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    const { rows } = await client.query<{ table_schema: string }>(
      `SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(rows).toEqual([{ table_schema: 'bullmq' }]);
  });

  it('migrates again without harm', async () => {
    await expect(migrateQueues({ connectionString: database.url })).resolves.toBeUndefined();
  });

  it('migrates and grants in several processes at once', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('CREATE ROLE queue_users NOLOGIN');
    onTestFinished(async () => {
      await client.query('DROP OWNED BY queue_users');
      await client.query('DROP ROLE queue_users');
    });
    const options = { connectionString: database.url, roles: ['queue_users'] };
    await expect(Promise.all([1, 2, 3, 4].map(() => migrateQueues(options)))).resolves.toHaveLength(4);
  });

  it('lets a granted role use the queues and no more', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    const role = `queue_user_${Math.random().toString(36).slice(2)}`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'only-for-this-test'`);
    onTestFinished(async () => {
      await client.query(`DROP OWNED BY ${role}`);
      await client.query(`DROP ROLE ${role}`);
    });
    await migrateQueues({ connectionString: database.url, roles: [role] });
    const url = new URL(database.url);
    url.username = role;
    url.password = 'only-for-this-test';
    const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
    const queues = await createQueues({ service: 'granted', logger, connectionString: url.href });
    onTestFinished(() => queues.close());
    const ran = new Promise<boolean>((resolve) => {
      queues.everyInterval('look', 100, async () => resolve(true));
    });
    await expect(ran).resolves.toBe(true);
  });

  queuesSuite(openQueues);

  it('takes a schedule up again that was lost', async () => {
    const first = await openQueues('healing');
    await new Promise<void>((resolve) => {
      first.everyInterval('look', 200, async () => resolve());
    });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(`DELETE FROM bullmq.job WHERE queue = 'healing'`);
    await client.query(`DELETE FROM bullmq.scheduler WHERE queue = 'healing'`);
    const again = new Promise<boolean>((resolve) => {
      first.everyInterval('look', 200, async () => resolve(true));
    });
    await expect(again).resolves.toBe(true);
  });
});
