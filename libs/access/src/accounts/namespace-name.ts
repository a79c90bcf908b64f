import { parseRepositoryName, RegistryError } from '@entrepot/oci';
import { AccessError } from '../errors.js';

/** Organisation that holds the repositories with names of one component. */
export const LIBRARY = 'library';

const MAX_NAME_LENGTH = 64;
/** Names that would be mistaken for a part of the product: URL prefixes, and actors in the audit log. */
const RESERVED: ReadonlySet<string> = new Set([LIBRARY, 'v1', 'v2', 'api', 'auth', 'anonymous', 'entrepot', 'system']);

/** Could this be the name of a user or an organisation: one component of a repository's name, 64 characters at most? */
export function isNamespaceName(name: string): boolean {
  if (name === '' || name.length > MAX_NAME_LENGTH || name.includes('/')) return false;
  try {
    return parseRepositoryName(`${name}/x`).length === name.length + 2;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

/** @throws AccessError NAME_INVALID where no user or organisation may get this name. */
export function checkNewNamespaceName(name: string): void {
  if (!isNamespaceName(name)) {
    throw new AccessError(
      'NAME_INVALID',
      `not a name for a user or an organisation: lower-case letters and digits, joined by ".", "_", "__" or dashes, ${MAX_NAME_LENGTH} characters at most`,
    );
  }
  if (RESERVED.has(name)) throw new AccessError('NAME_INVALID', `the name ${name} is reserved; choose another one`);
}
