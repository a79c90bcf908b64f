import { randomUUID } from 'node:crypto';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { migrateBefore } from '../database/migrate-before.suite.js';
import { migrate } from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrateBefore(url, '0008') });

it('reviews of blobs that were owed before the upgrade become reviews of their links', async () => {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const [namespace, first, second] = [randomUUID(), randomUUID(), randomUUID()];
  await client.query(`INSERT INTO namespace (id, name, kind) VALUES ($1, 'acme', 'organisation')`, [namespace]);
  await client.query(
    `INSERT INTO repository (id, namespace_id, name) VALUES ($2, $1, 'acme/first'), ($3, $1, 'acme/second')`,
    [namespace, first, second],
  );
  await client.query(
    `INSERT INTO blob (digest, size_bytes, object_key) VALUES ('\\x0101', 1, 'a'), ('\\x0102', 1, 'b')`,
  );
  await client.query(
    `INSERT INTO repository_blob (repository_id, digest) VALUES ($1, '\\x0101'), ($2, '\\x0101'), ($2, '\\x0102')`,
    [first, second],
  );
  await client.query(`INSERT INTO blob_review (digest, reason, due_at) VALUES ('\\x0101', 'uploaded', '2030-01-01')`);
  expect(await migrate(database.url)).toContain('0008_reviews');
  const { rows } = await client.query('SELECT repository_id, reason, due_at FROM link_review');
  expect(rows).toHaveLength(2);
  for (const repositoryId of [first, second]) {
    expect(rows).toContainEqual({
      repository_id: repositoryId,
      reason: 'uploaded',
      due_at: new Date('2030-01-01T00:00:00'),
    });
  }
  await client.end();
});
