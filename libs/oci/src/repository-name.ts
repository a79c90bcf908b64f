import { RegistryError } from './errors.js';

declare const repositoryNameBrand: unique symbol;

/** A canonical repository name: at least two components, so that the first one is its namespace. */
export type RepositoryName = string & { readonly [repositoryNameBrand]: true };

/** Longest whole name, the namespace included. */
export const MAX_REPOSITORY_NAME_LENGTH = 255;

/** Where names of one component live, as Docker has it. */
const DEFAULT_NAMESPACE = 'library';

const SLASH = 0x2f;
const DOT = 0x2e;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/**
 * The one place where a name becomes canonical: `hello` is `library/hello`. The grammar is that of the distribution
 * specification ("Pulling manifests").
 * @throws RegistryError NAME_INVALID
 */
export function parseRepositoryName(text: string): RepositoryName {
  const name = text.includes('/') ? text : `${DEFAULT_NAMESPACE}/${text}`;
  if (name.length > MAX_REPOSITORY_NAME_LENGTH) {
    throw new RegistryError('NAME_INVALID', {
      message: `invalid repository name: it is longer than ${MAX_REPOSITORY_NAME_LENGTH} characters`,
    });
  }
  if (!isPathOfComponents(name)) {
    throw new RegistryError('NAME_INVALID', {
      message:
        'invalid repository name: its components are lower-case letters and digits, joined by ".", "_", "__" or dashes',
    });
  }
  return name as RepositoryName;
}

/** The first component: the user or the organisation that the repository belongs to. */
export function namespaceOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'));
}

/** One pass: whether each character may follow the ones before it decides the whole grammar. */
function isPathOfComponents(name: string): boolean {
  let previous = SLASH;
  let beforePrevious = SLASH;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (!isAlphanumeric(code) && !mayFollow(code, previous, beforePrevious)) return false;
    beforePrevious = previous;
    previous = code;
  }
  return isAlphanumeric(previous);
}

/** Whether a slash or a separator may stand here: after a letter or digit, or as a longer `--…` or `__`. */
function mayFollow(code: number, previous: number, beforePrevious: number): boolean {
  if (isAlphanumeric(previous)) return code === SLASH || code === DOT || code === DASH || code === UNDERSCORE;
  if (code === DASH) return previous === DASH;
  return code === UNDERSCORE && previous === UNDERSCORE && beforePrevious !== UNDERSCORE;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}
