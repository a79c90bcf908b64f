import { gcSection, type TagHistory, type UndoRoom } from '@entrepot/content';
import {
  PostgresContentReader,
  PostgresRepositories,
  PostgresReviews,
  PostgresTagHistory,
  PostgresUnitOfWork,
  createPool,
} from '@entrepot/metadata';
import type { RepositoryName } from '@entrepot/oci';
import { loadConfig } from '@entrepot/runtime';
import { operatorActor, ownerSettings } from '../administration/open-administration.js';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure } from '../exit-codes.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';

/** What commands on content work with. */
export interface OpenContent {
  readonly history: TagHistory;
  readonly reader: PostgresContentReader;
  readonly reviews: PostgresReviews;
  /** Throws `CommandFailure` where there is no repository of the name. */
  roomOf(name: RepositoryName): Promise<UndoRoom>;
}

/** Runs `work` on the content in the database that the settings name, in the name of the operating system's user. */
export function withContent<T>(source: SettingsSource, work: (content: OpenContent) => Promise<T>): Promise<T> {
  const { grace: graceMs, undo: undoMs } = readGcTerms(source);
  return withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    const pool = createPool(ownerSettings(url));
    const repositories = new PostgresRepositories(pool);
    const room = { work: new PostgresUnitOfWork(pool), actor: operatorActor(), graceMs, undoMs };
    try {
      return await work({
        history: new PostgresTagHistory(pool),
        reader: new PostgresContentReader(pool, pool),
        reviews: new PostgresReviews(pool),
        roomOf: async (name) => {
          const found = await repositories.find(name);
          if (!found) throw new CommandFailure('refused', `there is no repository ${name}`);
          return { ...room, repositoryId: found.id, repositoryName: name };
        },
      });
    } finally {
      await pool.end();
    }
  });
}

export function readGcTerms(source: SettingsSource): { readonly grace: number; readonly undo: number } {
  return loadConfig([gcSection], { ...source, known: standaloneSections }).gc;
}
