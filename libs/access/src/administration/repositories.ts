import { namespaceOf } from '@entrepot/oci';
import type { RepositoryName } from '@entrepot/oci';
import { randomUUID } from 'node:crypto';
import { AccessError } from '../errors.js';
import type { Visibility } from '../grants/subject.js';
import { requireNamespace, requireRepository } from './administration.js';
import type { Administration } from './administration.js';

export interface NewRepository {
  readonly name: RepositoryName;
  /** The namespace's default where it is absent. */
  readonly visibility?: Visibility;
}

/** Rejects with NAME_TAKEN, or NOT_FOUND for the namespace. */
export async function createRepository({ store, actor }: Administration, wanted: NewRepository): Promise<void> {
  const { name } = wanted;
  await store.run(async (tx) => {
    const namespace = await requireNamespace(tx, namespaceOf(name));
    const visibility = wanted.visibility ?? namespace.defaultVisibility;
    const record = { id: randomUUID(), namespaceId: namespace.id, name, visibility, createdBy: actor.id };
    const isFree = await tx.repositories.insert(record);
    if (!isFree) throw new AccessError('NAME_TAKEN', `the repository ${name} exists already`);
    await tx.audit({ actor, action: 'repository.created', target: name, detail: { visibility } });
  });
}

/** Made private, it is closed at once to those who only came in because it was public. Rejects with NOT_FOUND. */
export async function setVisibility(
  { store, actor }: Administration,
  name: RepositoryName,
  visibility: Visibility,
): Promise<void> {
  await store.run(async (tx) => {
    const repository = await requireRepository(tx, name);
    if (repository.visibility === visibility) return;
    await tx.repositories.setVisibility(repository.id, visibility);
    if (visibility === 'private') await tx.repositories.withdrawAccess(repository.id);
    await tx.audit({ actor, action: 'repository.visibility_set', target: name, detail: { visibility } });
  });
}

/**
 * Deletes the repository: its name is free, tokens for it open no other one of that name, and it can be restored for a time.
 * Rejects with NOT_FOUND.
 */
export async function deleteRepository({ store, actor }: Administration, name: RepositoryName): Promise<void> {
  await store.run(async (tx) => {
    const repository = await requireRepository(tx, name);
    if (!(await tx.repositories.delete(repository, actor))) throw noRepository(name);
    const detail = { repositoryId: repository.id };
    await tx.audit({ actor, action: 'repository.deleted', target: name, detail });
  });
}

function noRepository(name: string): AccessError {
  return new AccessError('NOT_FOUND', `there is no repository ${name}`);
}
