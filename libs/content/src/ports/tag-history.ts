import type { Digest, Tag } from '@entrepot/oci';

/** One change of a tag. */
export interface TagChange {
  /** Grows with time; the key of pages. */
  readonly id: string;
  readonly tag: Tag;
  /** What it meant from then on; undefined where it was deleted. */
  readonly digest: Digest | undefined;
  /** What it meant before; undefined where there was no such tag. */
  readonly previousDigest: Digest | undefined;
  readonly changedAt: Date;
  /** Name of the account, or of who did it without one. */
  readonly changedBy: string;
}

export interface TagHistoryQuery {
  readonly repositoryId: string;
  /** All tags of the repository where it is absent. */
  readonly tag?: Tag;
  /** Only changes before this one. */
  readonly before?: string;
  readonly limit: number;
}

/** What tags meant, newest change first. */
export interface TagHistory {
  changes(query: TagHistoryQuery): Promise<TagChange[]>;
}
