import type { Digest, RepositoryName } from '@entrepot/oci';
import type { ObjectKey } from './blob-store.js';
import type { ManifestRecord, RecoveryRecord } from './recovery-source.js';

/** An object of the store, with what its record says of it. */
export interface FoundObject {
  readonly objectKey: ObjectKey;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly createdAt: string;
  /** The object is as long as its record says. */
  readonly isWhole: boolean;
}

/** A manifest that the log has, by what the rebuild knows it. */
export interface StagedManifest extends ManifestRecord {
  /** Order among the staged ones; the next page begins behind it. */
  readonly place: string;
}

/** What a manifest names. */
export interface NamedContent {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly kind: 'blob' | 'manifest';
}

export interface RebuiltManifest {
  readonly place: string;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly names: readonly NamedContent[];
}

/** Content that a manifest names and no object or record holds. */
export interface MissingContent {
  readonly repository: RepositoryName;
  readonly manifest: Digest;
  readonly digest: Digest;
  readonly kind: 'blob' | 'manifest';
  /** Why it cannot be served: no object, or one that is shorter or longer than its record says. */
  readonly fault: 'missing' | 'short';
}

/** How many rows a rebuild made. */
export interface RebuiltRows {
  readonly namespaces: number;
  readonly users: number;
  /** Those that are not deleted. */
  readonly repositories: number;
  /** Those that are, and can be restored. */
  readonly deletedRepositories: number;
  readonly manifests: number;
  readonly tags: number;
  readonly blobs: number;
  readonly links: number;
  /** Further objects of blobs that one object is enough for; doomed, when the grace time is over. */
  readonly spareObjects: number;
}

/** A repository of the log that was not made, with all it held. */
export interface LostRepository {
  readonly repository: RepositoryName;
  readonly id: string;
  /** A later one has its name, and the log does not say any more how it went; or the log has no namespace that it was in. */
  readonly reason: 'replaced' | 'no namespace';
}

/** Tags whose manifest is not in the log. */
export interface LostTag {
  readonly repository: RepositoryName;
  readonly tag: string;
  readonly digest: Digest;
}

export interface FinishRebuild {
  readonly graceMs: number;
  /** The highest number in the log. */
  readonly lastNumber: number;
  /** Whose log it was: from now on this database's. */
  readonly logId?: string;
}

/**
 * An empty database on its way to be what the log says. Everything is one transaction: what is not finished never was.
 * Steps are called in this order.
 */
export interface RebuildTarget {
  /** Notes the records, later ones over earlier ones. */
  stageRecords(records: readonly RecoveryRecord[]): Promise<void>;
  stageObjects(objects: readonly FoundObject[]): Promise<void>;
  /**
   * Makes namespaces, and accounts without a password for those of users, and repositories: of each name the latest. Resolves
   * with repositories that were not made.
   */
  makeRepositories(): Promise<LostRepository[]>;
  /** Makes a blob of each digest that has an object, and dooms further ones for when `graceMs` is over. */
  makeBlobs(graceMs: number): Promise<void>;
  /** Manifests of the log whose repository was made, in pages of a few MiB. */
  stagedManifests(after: string | undefined): Promise<StagedManifest[]>;
  makeManifests(manifests: readonly RebuiltManifest[]): Promise<void>;
  /**
   * Turns what manifests name into links and references. A blob without an object is made with a key of `newKey`, and
   * quarantined: the next push of it heals it.
   */
  resolveReferences(newKey: () => ObjectKey): Promise<void>;
  missingContent(limit: number): Promise<MissingContent[]>;
  /** Makes the tags; resolves with those that point at nothing. */
  makeTags(limit: number): Promise<LostTag[]>;
  /** Reviews for what nothing refers to, usage, and the log that goes on from here. */
  finish(options: FinishRebuild): Promise<RebuiltRows>;
}
