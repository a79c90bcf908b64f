import type { Digest, RepositoryName, Tag } from '@entrepot/oci';
import type { ObjectKey } from './blob-store.js';

export interface StoredManifest {
  /** Of its row, for marks of use. */
  readonly id: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** The bytes as they were pushed. */
  readonly payload: Uint8Array;
}

export interface StoredBlob {
  readonly objectKey: ObjectKey;
  readonly sizeBytes: number;
}

/** One entry of the referrers listing (distribution specification, "Listing Referrers"). */
export interface Referrer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ReferrersQuery {
  readonly repositoryId: string;
  readonly subject: Digest;
  readonly artifactType?: string;
  /** Digest of the last entry of the page before; it need not exist any more. */
  readonly last?: Digest;
  readonly limit: number;
  /** Bytes of manifests that a page stands for at most, but for its first entry: what is shown of them is no more. */
  readonly limitBytes: number;
}

export interface ReferrersPage {
  readonly referrers: readonly Referrer[];
  /** There are further ones after the last. */
  readonly hasMore: boolean;
}

/** A page of names in bytewise order, strictly after `last`. */
export interface NamePage {
  readonly last?: string;
  readonly limit: number;
}

/** Who looks: an account, or anonymous where `accountId` is absent. */
export interface Viewer {
  readonly accountId?: string;
}

export interface ReadOptions {
  /**
   * Content that was removed a short while ago may still be found, for a time that the operator bounds. Not for callers who may
   * have removed it themselves. New content is found in any case.
   */
  readonly mayLag?: boolean;
}

/** Reads of the pull path: no transaction, one indexed query each. */
export interface ContentReader {
  manifestByTag(repositoryId: string, tag: Tag): Promise<StoredManifest | undefined>;
  manifestByDigest(repositoryId: string, digest: Digest, options?: ReadOptions): Promise<StoredManifest | undefined>;
  /** Undefined where the repository has no link to the blob, whoever else may hold it. */
  blob(repositoryId: string, digest: Digest, options?: ReadOptions): Promise<StoredBlob | undefined>;
  /**
   * The same, and a promise: the repository holds the blob for `graceMs` from now on, whether anything refers to it or not.
   * Writes only where nothing does, and the promise before ends sooner.
   */
  promisedBlob(repositoryId: string, digest: Digest, graceMs: number): Promise<StoredBlob | undefined>;
  tags(repositoryId: string, page: NamePage): Promise<Tag[]>;
  referrers(query: ReferrersQuery): Promise<ReferrersPage>;
  /** Names of the repositories that the viewer may pull. */
  catalog(viewer: Viewer, page: NamePage): Promise<RepositoryName[]>;
}

export interface Repository {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: RepositoryName;
  readonly createdBy?: string;
}

export interface NewRepository {
  readonly name: RepositoryName;
  readonly namespaceId: string;
  readonly createdBy: Actor;
}

/** Who did it, for the rows that remember; without an id where it is no account (the command line, collection). */
export interface Actor {
  readonly id: string | undefined;
  readonly name: string;
}

export interface Repositories {
  find(name: RepositoryName): Promise<Repository | undefined>;
  /**
   * The repository of that name, made now with the visibility that its namespace says if there was none. Undefined
   * where the namespace is gone.
   */
  findOrCreate(repository: NewRepository): Promise<Repository | undefined>;
}

/** The repository was removed after its id was learned. */
export class RepositoryGone extends Error {
  override readonly name = 'RepositoryGone';
}
