import type { Content } from '@entrepot/testkit/images';

/** Content that the registry said it holds. */
export interface Held {
  readonly repository: string;
  readonly content: Content;
}

/** A tag and what it may point at: puts whose answer never came may have happened or not. */
export interface TagRecord {
  readonly repository: string;
  readonly tag: string;
  acknowledged: string | undefined;
  readonly unanswered: Set<string>;
}

/** An upload that was not seen to finish. */
export interface UploadRecord {
  readonly repository: string;
  readonly content: Content;
  location: string;
  /** The registry said that it holds the bytes before this offset. */
  offsetBytes: number;
}

/** What clients were told, to hold the registry to it afterwards. */
export class Journal {
  readonly blobs: Held[] = [];
  readonly manifests: Held[] = [];
  readonly tags = new Map<string, TagRecord>();
  readonly uploads = new Set<UploadRecord>();
  /** Answers that no client should ever get. */
  readonly surprises: string[] = [];
  /** What ended clients that lost their connection. */
  readonly losses: string[] = [];
  /** Answers that said to come back later. */
  unavailableCount = 0;

  tag(repository: string, tag: string): TagRecord {
    const key = `${repository}:${tag}`;
    const known = this.tags.get(key) ?? { repository, tag, acknowledged: undefined, unanswered: new Set<string>() };
    this.tags.set(key, known);
    return known;
  }

  summary(): string {
    const { blobs, manifests, tags, uploads, unavailableCount } = this;
    return (
      `${blobs.length} blobs, ${manifests.length} manifests, ${tags.size} tags acknowledged; ` +
      `${uploads.size} uploads unfinished; ${unavailableCount} answers 503`
    );
  }
}
