import type { DatabaseConfig } from '@entrepot/metadata';
import { CommandFailure } from '../exit-codes.js';

/**
 * The URL by which an external Postgres itself is reached, for what needs a session: migrations, administration, queues.
 * Undefined where no external one is named; throws `CommandFailure` where only its pooler is.
 */
export function directUrl(database: DatabaseConfig): string | undefined {
  if (database.url === undefined) return undefined;
  if (database.directUrl !== undefined || database.pooler === 'none') return database.directUrl ?? database.url;
  throw new CommandFailure(
    'config',
    'ENTREPOT_DATABASE_DIRECT_URL: required with ENTREPOT_DATABASE_POOLER=transaction, since migrations, queues and ' +
      'administration need sessions of their own',
  );
}
