import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { ACCESS_ROWS } from '../access/access-rows.js';
import { connectionOptions } from './connection.js';
import type { DatabaseSettings } from './connection.js';
import { detectPooler } from './detect-pooler.js';
import { translateDatabaseError } from './errors.js';

/** TypeORM over the same connection settings as everything else, for administration; rows only, no schema changes. */
export function createDataSource(settings: DatabaseSettings): DataSource {
  return new DataSource({
    type: 'postgres',
    url: settings.url,
    poolSize: settings.poolSize,
    extra: connectionOptions(settings),
    entities: [...ACCESS_ROWS],
    synchronize: false,
    migrationsRun: false,
    logging: false,
  });
}

/** Runs `work` on a connected data source that is closed afterwards: for commands that do one thing. */
export async function withDataSource<T>(
  settings: DatabaseSettings,
  work: (source: DataSource) => Promise<T>,
): Promise<T> {
  const source = createDataSource({ pooler: await detectPooler(settings.url), ...settings });
  try {
    await source.initialize();
  } catch (error) {
    throw translateDatabaseError(error);
  }
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}
