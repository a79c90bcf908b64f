import { ScheduleError, type JobRecords } from '@entrepot/jobs';
import { createPool, PostgresJobRecords } from '@entrepot/metadata';
import { operatorName, ownerSettings } from '../administration/open-administration.js';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure } from '../exit-codes.js';
import type { SettingsSource } from '../standalone/settings.js';

/** Runs `work` on the records of jobs in the database that the settings name. */
export function withJobs<T>(source: SettingsSource, work: (records: JobRecords) => Promise<T>): Promise<T> {
  return withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    const pool = createPool(ownerSettings(url));
    try {
      return await work(new PostgresJobRecords(pool));
    } catch (error) {
      throw error instanceof ScheduleError ? new CommandFailure('usage', error.message, { cause: error }) : error;
    } finally {
      await pool.end();
    }
  });
}

/** Whoever runs the command, as records name them. */
export function operator(): string {
  return `cli:${operatorName()}`;
}

export function noSuchJob(id: string): CommandFailure {
  return new CommandFailure('refused', `there is no job ${id}; see 'entrepot job list'`);
}
