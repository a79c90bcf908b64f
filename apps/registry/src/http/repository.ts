import { concernsRepository, type RepositoryAccess } from '@entrepot/access';
import type { MountSource, Repository } from '@entrepot/content';
import { RegistryError, parseQuery, type RepositoryName } from '@entrepot/oci';
import { actorOf, type Call, type RegistryRoom } from './call.js';

type NamedCall = Call<'tags' | 'referrers' | 'manifest' | 'blob' | 'uploads' | 'upload'>;

/*
 * A token opens one repository by its immutable id, so that reads need not look at the name at all. Only where nothing
 * was found, or where the token was made before the repository, is the name resolved.
 */

/** Id of the call's repository, undefined where there is none of that name yet. */
export async function findRepositoryId(room: RegistryRoom, call: NamedCall): Promise<string | undefined> {
  const access = accessTo(call, call.match.name);
  if (access.repositoryId !== undefined) return access.repositoryId;
  return checked(call, access, await room.repositories.find(call.match.name))?.id;
}

/** The same, for a call that needs a repository: NAME_UNKNOWN where there is none. */
export async function needRepositoryId(room: RegistryRoom, call: NamedCall): Promise<string> {
  const id = await findRepositoryId(room, call);
  if (id === undefined) throw nameUnknown(call.match.name);
  return id;
}

/** The same, for a push: made now where there was none. */
export async function openRepositoryId(room: RegistryRoom, call: NamedCall): Promise<string> {
  const { name } = call.match;
  const access = accessTo(call, name);
  if (access.repositoryId !== undefined) return access.repositoryId;
  const wanted = { name, namespaceId: access.namespaceId, createdBy: actorOf(call) };
  const repository = checked(call, access, await room.repositories.findOrCreate(wanted));
  // The namespace went away after the token was made.
  if (!repository) throw call.challenge('invalid_token');
  return repository.id;
}

/**
 * Where a mount may take its blob from: the repository that it names if the token opens it for pulling, or, where the
 * token allows mounts at large, if the account may pull it; without a name any repository that the account may pull.
 * Undefined where there is no such source: the mount then ends in an upload, and tells nothing.
 */
export async function findMountSource(room: RegistryRoom, call: Call<'uploads'>): Promise<MountSource | undefined> {
  const { mountFrom, caller } = call;
  const viewer = caller.accountId === undefined ? {} : { accountId: caller.accountId };
  if (mountFrom === undefined) return namesSource(call) ? undefined : { viewer };
  const access = caller.repositories.get(mountFrom);
  const mayPull = access?.actions.has('pull') === true;
  if (mayPull && access.repositoryId !== undefined) return { repositoryId: access.repositoryId };
  const found = mayPull || caller.mount ? await room.repositories.find(mountFrom) : undefined;
  if (!found) return undefined;
  if (mayPull && concernsRepository(access, caller.accountId, found)) return { repositoryId: found.id };
  return caller.mount ? { repositoryId: found.id, viewer } : undefined;
}

/** A name that no repository can have is a name all the same. */
function namesSource({ match }: Call<'uploads'>): boolean {
  return parseQuery(match.query).first('from') !== undefined;
}

/** Whether a read by digest may find what was removed a short while ago: not for a caller who may have removed it. */
export function mayLag(call: NamedCall): boolean {
  const { actions } = accessTo(call, call.match.name);
  return !actions.has('push') && !actions.has('delete');
}

/**
 * Called where a repository's id led to nothing. If the name means another repository by now, or none, the token is of
 * the past: 401, and the client asks for a new one. Else `absent` is the answer.
 */
export async function absentIn(room: RegistryRoom, call: NamedCall, absent: RegistryError): Promise<RegistryError> {
  const access = accessTo(call, call.match.name);
  const found = await room.repositories.find(call.match.name);
  if (access.repositoryId === undefined && !found) return nameUnknown(call.match.name);
  return found && concernsRepository(access, call.caller.accountId, found) ? absent : call.challenge('invalid_token');
}

function accessTo(call: NamedCall, name: RepositoryName): RepositoryAccess {
  const access = call.caller.repositories.get(name);
  if (!access) throw call.challenge('insufficient_scope');
  return access;
}

function checked(call: NamedCall, access: RepositoryAccess, found: Repository | undefined): Repository | undefined {
  if (found && !concernsRepository(access, call.caller.accountId, found)) throw call.challenge('invalid_token');
  return found;
}

function nameUnknown(name: RepositoryName): RegistryError {
  return new RegistryError('NAME_UNKNOWN', { detail: { name } });
}
