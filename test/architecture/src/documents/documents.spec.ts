import { migrate } from '@entrepot/metadata';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { describeErrors } from './describe-errors.js';
import { describeSchema } from './describe-schema.js';
import { describeSettings } from './describe-settings.js';

/** `npm run generate` runs these specs with leave to write; without it they compare. */
describe('generated documents', () => {
  const database = withTestDatabase({ prepare: (url) => migrate(url) });

  it('docs/errors.md says what the table says', async () => {
    await expect(describeErrors()).toMatchFileSnapshot('../../../../docs/errors.md');
  });

  it('docs/configuration.md says what the schemas say', async () => {
    await expect(describeSettings()).toMatchFileSnapshot('../../../../docs/configuration.md');
  });

  it('libs/metadata/schema.sql is what the migrations make', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await expect(await describeSchema(client)).toMatchFileSnapshot('../../../../libs/metadata/schema.sql');
    } finally {
      await client.end();
    }
  });
});
