import type { RepositoryName } from '@entrepot/oci';

/** What a repository, a namespace or the whole registry holds. Content that was deleted counts until it was removed. */
export interface UsageFigures {
  /** Manifests that can be pulled. */
  readonly manifests: number;
  /** Bytes of those manifests and of the blobs that each of them names: a blob counts for every manifest. */
  readonly logicalBytes: number;
  /** Blobs that are held, each counted once. */
  readonly blobs: number;
  /** Bytes of those blobs and of all manifests that are stored: what is saved by nothing being kept twice shows against the logical size. */
  readonly deduplicatedBytes: number;
}

export interface NamedUsage extends UsageFigures {
  readonly name: string;
}

/** Objects of the store. */
export interface ObjectFigures {
  readonly objects: number;
  /** Of those whose size is known: that of a copy which was given up is not. */
  readonly bytes: number;
}

export interface TotalUsage extends UsageFigures {
  /** Not needed any more, and not yet removed from the store. */
  readonly waiting: ObjectFigures;
  /** Removed from the store so far. */
  readonly freed: ObjectFigures;
}

export interface FoldStep {
  /** Changes that were folded. */
  readonly changes: number;
  readonly hasMore: boolean;
}

/** What was appended and not yet folded. */
export interface PendingChanges {
  readonly usageChanges: number;
  /** Notes of manifests that were pulled. */
  readonly manifestUses: number;
}

/** The account of what is stored. Changes are appended to it by whoever makes them. */
export interface Usage {
  /**
   * Folds at most `limit` changes of each kind, in one transaction: afterwards they are counted and gone, or neither. One
   * folder at a time; another one waits.
   */
  fold(limit: number): Promise<FoldStep>;
  /**
   * Folds at most `limit` notes of manifests that were pulled: the latest of each stays. Resolves with how many; another
   * folder may have taken the rest.
   */
  foldManifestUses(limit: number): Promise<number>;
  /** How much waits to be folded. */
  pending(): Promise<PendingChanges>;
  /** What was folded. */
  total(): Promise<TotalUsage>;
  /** A page of the namespaces that hold something, or ever did, ordered by name. */
  namespaces(page: { readonly last?: string; readonly limit: number }): Promise<NamedUsage[]>;
  /** A page of the repositories of a namespace that can be seen. */
  repositories(namespace: string, page: { readonly last?: string; readonly limit: number }): Promise<NamedUsage[]>;
  /** Undefined where there is no such namespace. */
  ofNamespace(name: string): Promise<NamedUsage | undefined>;
  ofRepository(name: RepositoryName): Promise<NamedUsage | undefined>;
}
