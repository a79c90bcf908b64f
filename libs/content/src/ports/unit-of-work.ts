import type { Descriptor, Digest, Tag } from '@entrepot/oci';
import type { Actor } from './content-reader.js';
import type { UndoStatements } from './undo-statements.js';

export interface HeldManifest {
  readonly id: string;
  readonly sizeBytes: number;
}

export interface NewManifest {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly payload: Uint8Array;
  readonly pushedBy: string | undefined;
  readonly subject?: Digest;
  /** What the referrers listing shows; only with a subject. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface InsertedManifest {
  readonly id: string;
  /** False where the repository held the same bytes already; then nothing was changed. */
  readonly isNew: boolean;
  /** It is new to its readers, but its row still has the references from before it was deleted. */
  readonly wasDeleted: boolean;
  /** The media type it was first pushed with. */
  readonly mediaType: string;
}

export interface ManifestReferences {
  readonly manifestId: string;
  readonly repositoryId: string;
  /** Blobs that the repository holds. */
  readonly blobs: readonly Descriptor[];
  /** Row ids of child manifests. */
  readonly childIds: readonly string[];
  /** What a sparse manifest names and the repository does not hold. */
  readonly missing: readonly { readonly kind: 'blob' | 'manifest'; readonly descriptor: Descriptor }[];
  /** For which a blob is safe that was held by who awaited the manifest. */
  readonly graceMs: number;
}

export interface TagMove {
  readonly repositoryId: string;
  readonly tags: readonly Tag[];
  readonly manifestId: string;
  readonly digest: Digest;
  readonly actor: Actor;
  readonly graceMs: number;
}

/** What a change leaves for others, written in its own transaction. */
export interface ChangeRecord {
  readonly repositoryId: string;
  readonly repositoryName: string;
  readonly actor: Actor;
  /** Past tense, `manifest.pushed`; the audit action and the event's kind. */
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly manifests: number;
  readonly sizeBytes: number;
}

export interface RemovedTag {
  readonly manifestId: string;
  readonly digest: Digest;
}

/** Statements of one transaction on content. */
export interface ContentTransaction {
  /** Statements that take back what was deleted. */
  readonly undo: UndoStatements;
  /** Holds the repository against its deletion until the transaction ends. Rejects with `RepositoryGone`. */
  holdRepository(repositoryId: string): Promise<void>;
  /** Makes writers of these tags wait for each other, in a fixed order, until the transaction ends. */
  lockTags(repositoryId: string, tags: readonly Tag[]): Promise<void>;
  /** Sizes of those of the blobs that the repository holds. */
  heldBlobs(repositoryId: string, digests: readonly Digest[]): Promise<Map<Digest, number>>;
  /** Those of the manifests that the repository holds, locked against their deletion. */
  heldManifests(repositoryId: string, digests: readonly Digest[]): Promise<Map<Digest, HeldManifest>>;
  /** Rejects with `RepositoryGone`. */
  insertManifest(manifest: NewManifest): Promise<InsertedManifest>;
  /** Rejects with `ReferenceGone` where a review took a blob or child meanwhile. */
  insertReferences(references: ManifestReferences): Promise<void>;
  /**
   * Points the tags at the manifest, writes history for those that changed and reviews for what they left. False where all
   * pointed at it already.
   */
  moveTags(move: TagMove): Promise<boolean>;
  reviewManifest(manifestId: string, reason: string, graceMs: number): Promise<void>;
  record(change: ChangeRecord): Promise<void>;

  /** Removes the tag with history and a review of what it pointed at; undefined where there is none. */
  removeTag(repositoryId: string, tag: Tag, actor: Actor, graceMs: number): Promise<RemovedTag | undefined>;
  /** Removes every tag that points at the manifest, with history; resolves with their names. */
  removeTagsOf(repositoryId: string, manifestId: string, actor: Actor): Promise<Tag[]>;
  /** Digests of at most ten manifests of the repository that list this one as a child. */
  parentsOf(manifestId: string): Promise<Digest[]>;
  /** Locks the manifest's row against new references; undefined where there is none. */
  lockManifest(repositoryId: string, digest: Digest): Promise<HeldManifest | undefined>;
  /**
   * Deletes a locked manifest to which no tag points any more: no read finds it, and it can be restored. Its references
   * stay, and hold what they name; a blob that was deleted before it can be named by others for `graceMs`. Resolves with the
   * bytes of its blobs.
   */
  deleteManifest(manifestId: string, actor: Actor, graceMs: number): Promise<number>;
  /** Removes the references of a manifest, with reviews of what they named; resolves with the bytes of its blobs. */
  removeReferences(manifestId: string, graceMs: number): Promise<number>;
  /**
   * Removes a locked manifest for good, references and all; what it named goes with the next review, whatever was promised to
   * clients. Resolves with the bytes of its blobs.
   */
  purgeManifest(manifestId: string): Promise<number>;
  /**
   * Removes the repository's link to the blob, or marks it to go with the last manifest that needs it; what was promised of it
   * until now ends. False where there is no link.
   */
  unlinkBlob(repositoryId: string, digest: Digest): Promise<boolean>;
}

export interface UnitOfWork {
  /** Runs `work` in one transaction; commits when it resolves. */
  run<T>(work: (tx: ContentTransaction) => Promise<T>): Promise<T>;
}

/** What a manifest refers to went away while it was pushed: the client sends it again. */
export class ReferenceGone extends Error {
  override readonly name = 'ReferenceGone';
}
