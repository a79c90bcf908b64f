import { z } from 'zod';
import { REPOSITORY_ACTIONS } from '../grants/granted-access.js';
import type { GrantedAccess, RepositoryAccess, RepositoryAction } from '../grants/granted-access.js';

/** Value of `ent.t`: no other kind of token is ever good as a registry's bearer. */
export const ACCESS_TOKEN_KIND = 'access';

const accessEntrySchema = z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) });
const bindingSchema = z.object({ id: z.string().nullable(), ns: z.string(), v: z.number().int() });

/**
 * Claims of our tokens: those of distribution's token specification, and `ent`, which binds them to what the names
 * meant. `ent.acc` is parallel to `access`: `id` the repository (null: none existed yet), `ns` its namespace, `v` its
 * access version; null where the entry is no repository. `ent.av` is the access version of the account `ent.uid`.
 */
export const tokenPayloadSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number().int(),
  nbf: z.number().int(),
  iat: z.number().int(),
  jti: z.string(),
  access: z.array(accessEntrySchema),
  ent: z.object({
    t: z.string(),
    uid: z.string().nullable(),
    av: z.number().int(),
    acc: z.array(bindingSchema.nullable()),
  }),
});

export type TokenPayload = z.infer<typeof tokenPayloadSchema>;

/** The `access` claim and its bindings. */
export function accessClaims(granted: GrantedAccess): {
  access: TokenPayload['access'];
  acc: TokenPayload['ent']['acc'];
} {
  const access: TokenPayload['access'] = [];
  const acc: TokenPayload['ent']['acc'] = [];
  for (const [name, repository] of granted.repositories) {
    access.push({ type: 'repository', name, actions: [...repository.actions] });
    acc.push({ id: repository.repositoryId ?? null, ns: repository.namespaceId, v: repository.version });
  }
  if (granted.catalog) {
    access.push({ type: 'registry', name: 'catalog', actions: ['*'] });
    acc.push(null);
  }
  if (granted.mount) {
    access.push({ type: 'registry', name: 'mount', actions: ['pull'] });
    acc.push(null);
  }
  return { access, acc };
}

/** The reverse of `accessClaims`. Entries without a binding open nothing. */
export function grantedAccessOf(payload: TokenPayload): GrantedAccess {
  const repositories = new Map<string, RepositoryAccess>();
  let catalog = false;
  let mount = false;
  for (const [index, entry] of payload.access.entries()) {
    const binding = payload.ent.acc[index];
    if (entry.type === 'repository' && binding) {
      repositories.set(entry.name, {
        actions: new Set(entry.actions.filter(isRepositoryAction)),
        repositoryId: binding.id ?? undefined,
        namespaceId: binding.ns,
        version: binding.v,
      });
    } else if (entry.type === 'registry' && entry.name === 'catalog') {
      catalog ||= entry.actions.includes('*');
    } else if (entry.type === 'registry' && entry.name === 'mount') {
      mount ||= entry.actions.includes('pull');
    }
  }
  return { repositories, catalog, mount };
}

function isRepositoryAction(action: string): action is RepositoryAction {
  return (REPOSITORY_ACTIONS as readonly string[]).includes(action);
}
