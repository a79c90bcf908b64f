import { RegistryError } from './errors.js';
import { parseRepositoryName, type RepositoryName } from './repository-name.js';

/** Access that a client asks for; one entry for each resource, with all its actions. */
export interface RequestedScope {
  readonly type: string;
  /** Of `repository(plugin)`; deprecated, and without meaning for access. */
  readonly class?: string;
  /** Canonical for a repository that can exist here, otherwise as it was asked. */
  readonly name: string;
  /** Set where the resource is a repository that can exist here; nothing else is ever granted on one. */
  readonly repository?: RepositoryName;
  readonly actions: readonly string[];
}

export interface ScopeLimits {
  readonly maxScopes: number;
  /** Characters of all scope parameters together. */
  readonly maxLength: number;
}

export const DEFAULT_SCOPE_LIMITS: ScopeLimits = { maxScopes: 128, maxLength: 16 * 1024 };

const TYPE = /^([a-z0-9]+)(?:\(([a-z0-9]+)\))?$/;
const ACTION = /^(?:[a-z]+|\*)$/;
/** A notary GUN with its host and port: no repository of ours, since a name holds no colon. */
const HOSTED_NAME = /^[A-Za-z0-9.-]+:[0-9]{1,5}\/[a-z0-9._/-]+$/;
/** Names of resources that are no repositories, such as `catalog`. */
const PLAIN_NAME = /^[A-Za-z0-9._:/-]+$/;

/**
 * Reads scopes of token requests (Docker token specification, "Scope"). Each value may hold several, separated by
 * spaces. The type ends at the first colon, the actions begin after the last one, so that names may hold a port. What
 * is malformed is left out, as what may not be granted is: the token then opens less, and the client is told when it
 * uses it.
 * @throws RegistryError 400 UNSUPPORTED over a limit
 */
export function parseScopes(
  values: readonly string[],
  limits: ScopeLimits = DEFAULT_SCOPE_LIMITS,
): readonly RequestedScope[] {
  const length = values.reduce((sum, value) => sum + value.length, 0);
  const texts =
    length > limits.maxLength ? [] : values.flatMap((value) => value.split(' ')).filter((text) => text !== '');
  if (length > limits.maxLength || texts.length > limits.maxScopes) {
    throw new RegistryError('UNSUPPORTED', {
      status: 400,
      message: `more than ${limits.maxScopes} scopes, or more than ${limits.maxLength} characters of them`,
    });
  }
  const scopes = new Map<string, RequestedScope>();
  for (const scope of texts.map(parseScope)) {
    if (scope === undefined) continue;
    const key = formatResource(scope);
    const actions = new Set([...(scopes.get(key)?.actions ?? []), ...scope.actions]);
    scopes.set(key, { ...scope, actions: [...actions] });
  }
  return [...scopes.values()];
}

/** The scope as a client writes it, and as the answer of the token endpoint repeats it. */
export function formatScope(scope: Pick<RequestedScope, 'type' | 'class' | 'name' | 'actions'>): string {
  return `${formatResource(scope)}:${scope.actions.join(',')}`;
}

function formatResource({ type, class: resourceClass, name }: Pick<RequestedScope, 'type' | 'class' | 'name'>): string {
  return resourceClass === undefined ? `${type}:${name}` : `${type}(${resourceClass}):${name}`;
}

function parseScope(text: string): RequestedScope | undefined {
  const firstColon = text.indexOf(':');
  const lastColon = text.lastIndexOf(':');
  const type = TYPE.exec(text.slice(0, Math.max(firstColon, 0)));
  const actions = text
    .slice(lastColon + 1)
    .split(',')
    .filter((action) => ACTION.test(action));
  if (type?.[1] === undefined || actions.length === 0) return undefined;
  const resource = readResource(type[1], text.slice(firstColon + 1, lastColon));
  if (resource === undefined) return undefined;
  return { type: type[1], ...(type[2] === undefined ? {} : { class: type[2] }), ...resource, actions };
}

function readResource(type: string, name: string): Pick<RequestedScope, 'name' | 'repository'> | undefined {
  if (type !== 'repository') return PLAIN_NAME.test(name) ? { name } : undefined;
  if (HOSTED_NAME.test(name)) return { name };
  try {
    const repository = parseRepositoryName(name);
    return { name: repository, repository };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
