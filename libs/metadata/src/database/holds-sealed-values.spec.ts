import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { holdsSealedValues, migrate } from '../index.js';

const database = withTestDatabase();

describe('holdsSealedValues', () => {
  it('is true from the first signing key on, and false for a new database, migrated or not', async () => {
    expect(await holdsSealedValues(database.url)).toBe(false);
    await migrate(database.url);
    expect(await holdsSealedValues(database.url)).toBe(false);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      `INSERT INTO signing_key (kid, public_jwk, sealed_private, signs_from) VALUES ('k', '{}', 'sealed', now())`,
    );
    await client.end();
    expect(await holdsSealedValues(database.url)).toBe(true);
  });
});
