import { foldUsage, type Usage } from '@entrepot/content';
import { PostgresUsage, createPool, detectPooler, type DatabasePool } from '@entrepot/metadata';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import type { SettingsSource } from '../standalone/settings.js';

/** Figures that are counted anew are read from whole tables. */
const TERMS = { role: 'jobrunner', poolSize: 2, statementTimeoutMs: 600_000, lockTimeoutMs: 60_000 } as const;

/** Runs `work` on the account of what is stored, brought up to date; `isCounted`: on what is counted in its place. */
export async function withUsage<T>(
  source: SettingsSource,
  { isCounted }: { readonly isCounted: boolean },
  work: (usage: Usage, pool: DatabasePool) => Promise<T>,
): Promise<T> {
  return withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    const pool = createPool({ url, pooler: await detectPooler(url), ...TERMS });
    try {
      const usage = new PostgresUsage(pool, { isCounted });
      await foldUsage(usage);
      return await work(usage, pool);
    } finally {
      await pool.end();
    }
  });
}
