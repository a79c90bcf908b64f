/** Level of a grant. read: pull; write: also push and delete tags and manifests; admin: also manage. */
export type Role = 'read' | 'write' | 'admin';

export type Visibility = 'public' | 'private';

/** A grant that reaches the subject, directly or through a team: on one repository, or on all of a namespace. */
export type HeldGrant =
  { readonly role: Role; readonly repositoryId: string } | { readonly role: Role; readonly namespaceId: string };

export interface AnonymousSubject {
  readonly kind: 'anonymous';
}

/** Who asks. Memberships and grants may be left out where they do not touch the resource in question. */
export interface AccountSubject {
  readonly kind: 'account';
  /** Also the id of the account's own namespace. */
  readonly accountId: string;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly accessVersion: number;
  readonly memberships: readonly { readonly namespaceId: string; readonly role: 'owner' | 'member' }[];
  readonly grants: readonly HeldGrant[];
}

export type Subject = AnonymousSubject | AccountSubject;

export interface RepositoryResource {
  readonly kind: 'repository';
  readonly repositoryId: string;
  readonly namespaceId: string;
  readonly visibility: Visibility;
}

export interface NamespaceResource {
  readonly kind: 'namespace';
  readonly namespaceId: string;
}

export interface CatalogResource {
  readonly kind: 'catalog';
}

export type Resource = RepositoryResource | NamespaceResource | CatalogResource;

/**
 * pull, push, delete (tags, manifests, blobs) and manage (settings, grants, removal) belong to repositories; create
 * (a repository) and manage (teams, members) to namespaces; list, and mount from whatever one may pull, to the catalog.
 */
export type Action = 'pull' | 'push' | 'delete' | 'manage' | 'create' | 'list' | 'mount';
