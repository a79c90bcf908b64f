import { administer } from '../administration/administer.js';
import { listAll } from '../administration/list-all.js';
import type { SettingsSource } from '../standalone/settings.js';
import { readGcTerms } from './with-content.js';

/** Repositories as people read them, by name. */
export async function listLive(source: SettingsSource): Promise<object[]> {
  const found = await administer(source, ({ directory }) =>
    listAll(
      (page) => directory.repositories(page),
      ({ name }) => name,
    ),
  );
  return found.map(({ name, visibility, createdAt }) => ({ name, visibility, created: createdAt }));
}

/** Deleted repositories that are not being removed yet, and when the time to restore them ends. */
export async function listDeleted(source: SettingsSource): Promise<object[]> {
  const { undo: undoMs } = readGcTerms(source);
  const found = await administer(source, ({ directory }) =>
    listAll(
      (page) => directory.deletedRepositories(page),
      ({ key }) => key,
    ),
  );
  return found.map(({ name, id, visibility, deletedAt, deletedBy }) => ({
    name,
    id,
    visibility,
    deleted: deletedAt,
    by: deletedBy,
    until: new Date(deletedAt.getTime() + undoMs),
  }));
}
