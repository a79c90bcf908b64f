import { PostgresError, startEmbeddedPostgres, type PostgresEvent } from '@entrepot/embedded-postgres';
import type { Logger } from '@entrepot/runtime';
import { CommandFailure } from '../exit-codes.js';

/** A database for as long as the process runs. */
export interface StandaloneDatabase {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the embedded Postgres of the data directory. Throws `CommandFailure`. */
export async function startDatabase(directory: string, logger: Logger): Promise<StandaloneDatabase> {
  try {
    const server = await startEmbeddedPostgres({ directory, onEvent: (event) => report(event, logger) });
    // A process that exits before it could close must not leave the server behind.
    const shutDown = () => {
      const pid = server.pid();
      if (pid !== undefined) process.kill(pid, 'SIGINT');
    };
    process.once('exit', shutDown);
    return {
      url: server.url,
      close: async () => {
        await server.stop();
        process.off('exit', shutDown);
      },
    };
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    const isFull = error.logTail.some((line) => line.includes('No space left on device'));
    const advice = isFull ? '; the disk is full, free some space' : '';
    const options = { details: error.logTail, cause: error };
    throw new CommandFailure(isFull ? 'diskFull' : 'unavailable', `${error.message}${advice}`, options);
  }
}

/** A database that somebody else runs. */
export function externalDatabase(url: string): StandaloneDatabase {
  return { url, close: async () => {} };
}

function report(event: PostgresEvent, logger: Logger): void {
  switch (event.kind) {
    case 'died':
      logger.error({ reason: event.reason, logTail: event.logTail }, 'Postgres ended unexpectedly; starting it again');
      return;
    case 'restarted':
      logger.info('Postgres runs again');
      return;
    case 'restart-failed':
      logger.error({ reason: event.reason, retryMs: event.retryMs }, 'Postgres could not be started; trying again');
  }
}
