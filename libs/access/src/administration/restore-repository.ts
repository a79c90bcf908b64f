import { namespaceOf, type RepositoryName } from '@entrepot/oci';
import { AccessError } from '../errors.js';
import type {
  AccessTransaction,
  DeletedKey,
  DeletedRepositoryRecord,
  NamespaceRecord,
  RepositoryRecord,
} from '../ports/administration.js';
import { requireNamespace } from './administration.js';
import type { Administration } from './administration.js';

export interface RepositoryRestoration {
  readonly which: DeletedKey;
  /** The name that it had where this is absent. */
  readonly as?: RepositoryName;
}

/**
 * Gives a deleted repository back with its content, and resolves with its name. Tokens that were made for it stay ended.
 * In the namespace that it was in it keeps its grants. In another one nothing of the former owner's word holds: grants
 * are dropped, and it is public only where it was so and the new namespace makes its repositories so. Rejects with
 * NOT_FOUND, also where its removal has begun, and with NAME_TAKEN.
 */
export async function restoreRepository(
  { store, actor }: Administration,
  { which, as }: RepositoryRestoration,
): Promise<RepositoryName> {
  return store.run(async (tx) => {
    const deleted = await requireDeleted(tx, which);
    if (deleted.isBeingRemoved) {
      throw new AccessError('NOT_FOUND', `the removal of ${deleted.name} has begun; it cannot be restored any more`);
    }
    const name = as ?? (deleted.name as RepositoryName);
    const namespace = await requireNamespace(tx, namespaceOf(name));
    const isMoved = namespace.id !== deleted.namespaceId;
    if (isMoved) await tx.repositories.removeGrants(deleted.id);
    const isFree = await tx.repositories.restore(placedIn(namespace, deleted, name), actor);
    if (!isFree) throw new AccessError('NAME_TAKEN', `the name ${name} is taken; restore it under another one (--as)`);
    const detail = { repositoryId: deleted.id, was: deleted.name, grants: isMoved ? 'dropped' : 'kept' };
    await tx.audit({ actor, action: 'repository.restored', target: name, detail });
    return name;
  });
}

/**
 * Removes the repository of the name, or a deleted one where there is none or the id says which, without a time to restore
 * it: from the end of this call on it cannot come back, and its rows are left to whoever removes deleted repositories.
 * Rejects with NOT_FOUND.
 */
export async function purgeRepository({ store, actor }: Administration, which: DeletedKey): Promise<void> {
  await store.run(async (tx) => {
    const live = which.id === undefined ? await tx.repositories.find(which.name) : undefined;
    if (live) await tx.repositories.delete(live, actor);
    const { id, name } = live ?? (await requireDeleted(tx, which));
    await tx.repositories.condemn(id);
    await tx.audit({ actor, action: 'repository.purged', target: name, detail: { repositoryId: id } });
  });
}

async function requireDeleted(tx: AccessTransaction, which: DeletedKey): Promise<DeletedRepositoryRecord> {
  const found = await tx.repositories.findDeleted(which);
  if (found) return found;
  const named = which.id === undefined ? which.name : `${which.name} with the id ${which.id}`;
  throw new AccessError('NOT_FOUND', `there is no deleted repository ${named}; see 'entrepot repo list --deleted'`);
}

function placedIn(
  namespace: NamespaceRecord,
  deleted: DeletedRepositoryRecord,
  name: RepositoryName,
): RepositoryRecord {
  const { id, visibility } = deleted;
  const isMoved = namespace.id !== deleted.namespaceId;
  const shown = isMoved && namespace.defaultVisibility === 'private' ? 'private' : visibility;
  return { id, namespaceId: namespace.id, name, visibility: shown, createdBy: undefined };
}
