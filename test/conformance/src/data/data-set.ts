import { digestOf } from './digest.js';
import type { Algorithm } from './digest.js';

/** A descriptor as the image specification has it; `data` is base64. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** An image manifest or index before it is bytes. */
export interface Document {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Manifest bytes with what is known of them. */
export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Buffer;
  /** The digest of the manifest that this one refers to by `subject`. */
  readonly subject?: string;
  /** The bytes were changed after the digest was taken: the registry must refuse them. */
  readonly isCorrupt?: boolean;
}

/** Content that is pushed, listed, pulled and deleted together. */
export interface DataSet {
  /** By digest. */
  readonly blobs: Map<string, Buffer>;
  /** In the order in which they can be pushed: children first. */
  readonly manifests: StoredManifest[];
  /** Tag to digest. */
  readonly tags: Map<string, string>;
  /** The descriptors that the referrers list of each subject must hold, by the subject's digest. */
  readonly referrers: Map<string, Descriptor[]>;
}

export function createDataSet(): DataSet {
  return { blobs: new Map(), manifests: [], tags: new Map(), referrers: new Map() };
}

/** How bytes become a descriptor. */
export interface BlobTraits {
  readonly mediaType: string;
  readonly algorithm?: Algorithm | undefined;
  /** Repeats the content in the descriptor's `data`. */
  readonly hasData?: boolean | undefined;
}

/** Adds the bytes as a blob to push and returns their descriptor. */
export function addBlob(set: DataSet, bytes: Buffer, traits: BlobTraits): Descriptor {
  const digest = digestOf(bytes, traits.algorithm);
  set.blobs.set(digest, bytes);
  const data = traits.hasData === true ? { data: bytes.toString('base64') } : {};
  return { mediaType: traits.mediaType, digest, size: bytes.length, ...data };
}

/** Adds the document as a manifest to push, and to the referrers of its subject; returns its descriptor. */
export function addManifest(set: DataSet, document: Document, algorithm?: Algorithm): Descriptor {
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
  const { mediaType, subject, annotations } = document;
  const descriptor = { mediaType, digest: digestOf(body, algorithm), size: body.length };
  set.manifests.push({ digest: descriptor.digest, mediaType, body, ...(subject && { subject: subject.digest }) });
  if (subject !== undefined) {
    // An image manifest without artifactType goes by the type of its config, an index without one has none.
    const artifactType = document.artifactType ?? document.config?.mediaType;
    const referrer = { ...descriptor, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
    set.referrers.set(subject.digest, [...(set.referrers.get(subject.digest) ?? []), referrer]);
  }
  return descriptor;
}
