import type { Actor, RepositoryRecord } from '@entrepot/access';
import { randomUUID } from 'node:crypto';
import { QueryFailedError, type EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/errors.js';

/**
 * The new name cannot be spelled in a request, so that the old one is free and look-ups by name find nothing. The change of
 * a key locks the row against everyone who holds it: pushes under way are waited for, and whoever comes later sees that
 * the repository is deleted.
 */
const DELETE = `
  UPDATE repository SET name = name || '@' || id, deleted_name = name, deleted_at = now(), deleted_by = $2,
    access_version = access_version + 1, access_changed_at = now()
  WHERE id = $1 AND deleted_at IS NULL RETURNING id`;

const END_UPLOADS = `
  WITH ended AS (DELETE FROM upload WHERE repository_id = $1 RETURNING object_key, offset_bytes)
  INSERT INTO doomed_object (object_key, reason, size_bytes) SELECT object_key, 'repository deleted', offset_bytes FROM ended`;

/**
 * Nobody counts as the repository's creator any more: a token that was made while the name was free opens what its account
 * creates there, and this is not such a one.
 */
const RESTORE = `
  UPDATE repository SET name = $2, namespace_id = $3, visibility = $4, created_by = NULL,
    deleted_name = NULL, deleted_at = NULL, deleted_by = NULL, restored_at = now(),
    access_version = access_version + 1, access_changed_at = now()
  WHERE id = $1 AND NOT EXISTS (SELECT FROM repository WHERE name = $2) RETURNING id`;

/** Hides the repository and ends its uploads; false where it is deleted already. */
export async function deleteRepository(
  manager: EntityManager,
  { id, name }: RepositoryRecord,
  actor: Actor,
): Promise<boolean> {
  if (!(await changesOne(manager, DELETE, [id, actor.name]))) return false;
  await manager.query(END_UPLOADS, [id]);
  await tell(manager, 'repository.deleted', { repositoryId: id, repository: name, actor: actor.name });
  return true;
}

/** The row is locked and deleted. False where the name is taken; where it was taken just now the transaction is lost with it. */
export async function restoreRepository(
  manager: EntityManager,
  { id, name, namespaceId, visibility }: RepositoryRecord,
  actor: Actor,
): Promise<boolean> {
  const isFree = await changesOne(manager, RESTORE, [id, name, namespaceId, visibility]).catch(refusedByKey);
  if (!isFree) return false;
  await tell(manager, 'repository.restored', { repositoryId: id, repository: name, actor: actor.name });
  return true;
}

function refusedByKey(error: unknown): false {
  const constraint = error instanceof QueryFailedError ? violatedConstraint(error.driverError) : undefined;
  if (constraint === 'repository_name_key') return false;
  throw error;
}

/** TypeORM resolves an UPDATE with its rows and their number. */
async function changesOne(manager: EntityManager, text: string, values: readonly unknown[]): Promise<boolean> {
  const [, changed] = await manager.query<[unknown[], number]>(text, [...values]);
  return changed === 1;
}

async function tell(manager: EntityManager, kind: string, payload: Record<string, unknown>): Promise<void> {
  await manager.query('INSERT INTO outbox_event (id, kind, payload) VALUES ($1, $2, $3)', [
    randomUUID(),
    kind,
    JSON.stringify(payload),
  ]);
}
