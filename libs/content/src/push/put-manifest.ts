import {
  RegistryError,
  allDescriptors,
  requiredBlobs,
  requiredManifests,
  type Descriptor,
  type Digest,
  type ParsedManifest,
  type RepositoryName,
  type Tag,
} from '@entrepot/oci';
import { createHash } from 'node:crypto';
import type { Actor } from '../ports/content-reader.js';
import { ReferenceGone, type ContentTransaction, type HeldManifest, type UnitOfWork } from '../ports/unit-of-work.js';

/** Which manifests may name content that the repository does not hold. */
export type SparsePolicy = 'refuse' | 'indexes' | 'all';

export interface PutManifest {
  readonly repositoryId: string;
  readonly repositoryName: RepositoryName;
  readonly actor: Actor;
  readonly manifest: ParsedManifest;
  /** The bytes that were parsed, and their digest. */
  readonly payload: Uint8Array;
  readonly digest: Digest;
  readonly tags: readonly Tag[];
}

export interface ManifestRules {
  readonly sparse: SparsePolicy;
  readonly graceMs: number;
}

/**
 * Stores a manifest and points the tags at it, in one transaction: references checked, rows, referrers entry, tags,
 * history, reviews, usage, audit and outbox, all or nothing (end-7a, end-7b). Rejects with MANIFEST_BLOB_UNKNOWN naming
 * all that is missing. The subject need not exist.
 */
export async function putManifest(work: UnitOfWork, rules: ManifestRules, put: PutManifest): Promise<void> {
  checkEmbeddedData(put.manifest);
  try {
    await work.run((tx) => putInTransaction(tx, rules, put));
  } catch (error) {
    if (!(error instanceof ReferenceGone)) throw error;
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {
      message: 'content that the manifest names was removed meanwhile; push again',
      cause: error,
    });
  }
}

async function putInTransaction(tx: ContentTransaction, rules: ManifestRules, put: PutManifest): Promise<void> {
  const { repositoryId, manifest, tags, digest, actor } = put;
  if (tags.length > 0) await tx.lockTags(repositoryId, tags);
  const references = await resolveReferences(tx, rules.sparse, put);
  const inserted = await tx.insertManifest({
    repositoryId,
    digest,
    mediaType: manifest.mediaType,
    payload: put.payload,
    pushedBy: actor.id,
    ...referrerFields(manifest),
  });
  if (inserted.mediaType !== manifest.mediaType) throw otherMediaType(inserted.mediaType);
  if (inserted.wasDeleted) await tx.removeReferences(inserted.id, rules.graceMs);
  if (inserted.isNew) {
    await tx.insertReferences({ manifestId: inserted.id, repositoryId, graceMs: rules.graceMs, ...references });
  }
  if (tags.length > 0) {
    const { graceMs } = rules;
    await tx.moveTags({ repositoryId, tags, manifestId: inserted.id, digest, actor, graceMs });
  } else if (inserted.isNew) {
    await tx.reviewManifest(inserted.id, 'pushed', rules.graceMs);
  }
  await tx.record({
    repositoryId,
    repositoryName: put.repositoryName,
    actor,
    kind: 'manifest.pushed',
    detail: { digest, mediaType: manifest.mediaType, tags },
    manifests: inserted.isNew ? 1 : 0,
    sizeBytes: inserted.isNew ? totalBytes(put, references) : 0,
  });
}

interface ResolvedReferences {
  readonly blobs: Descriptor[];
  readonly childIds: string[];
  readonly missing: { readonly kind: 'blob' | 'manifest'; readonly descriptor: Descriptor }[];
}

/**
 * What of the manifest's references the repository holds. An entry of an index may be a blob: BuildKit lists the layers
 * of a cache so.
 */
async function resolveReferences(
  tx: ContentTransaction,
  sparse: SparsePolicy,
  { repositoryId, manifest }: PutManifest,
): Promise<ResolvedReferences> {
  const entries = requiredManifests(manifest);
  const children = await heldOf(entries, (digests) => tx.heldManifests(repositoryId, digests));
  const wantedBlobs = [...requiredBlobs(manifest), ...entries.filter(({ digest }) => !children.has(digest))];
  const blobs = await heldOf(wantedBlobs, (digests) => tx.heldBlobs(repositoryId, digests));
  for (const entry of entries) checkSize(entry, children.get(entry.digest)?.sizeBytes);
  for (const blob of wantedBlobs) checkSize(blob, blobs.get(blob.digest));
  const kind = manifest.kind === 'index' ? 'manifest' : 'blob';
  const missing = wantedBlobs
    .filter(({ digest }) => !blobs.has(digest))
    .map((descriptor) => ({ kind, descriptor }) as const);
  const isAllowed = sparse === 'all' || (sparse === 'indexes' && kind === 'manifest');
  if (missing.length > 0 && !isAllowed) throw missingReferences(missing.map(({ descriptor }) => descriptor.digest));
  return {
    blobs: wantedBlobs.filter(({ digest }) => blobs.has(digest)),
    childIds: [...children.values()].map((child: HeldManifest) => child.id),
    missing,
  };
}

async function heldOf<T>(
  descriptors: readonly Descriptor[],
  ask: (digests: Digest[]) => Promise<Map<Digest, T>>,
): Promise<Map<Digest, T>> {
  return descriptors.length === 0 ? new Map() : ask(descriptors.map(({ digest }) => digest));
}

function missingReferences(digests: readonly Digest[]): RegistryError {
  return new RegistryError('MANIFEST_BLOB_UNKNOWN', {
    message: `the repository does not hold ${digests.length} of the references; push or mount them first`,
    detail: digests.map((digest) => ({ digest })),
  });
}

/** A size that is not that of the content would make clients that trust descriptors read wrong bytes. */
function checkSize(descriptor: Descriptor, heldBytes: number | undefined): void {
  if (heldBytes === undefined || heldBytes === descriptor.sizeBytes) return;
  throw new RegistryError('MANIFEST_INVALID', {
    message: `the manifest gives ${descriptor.digest} another size than its content has`,
    detail: { digest: descriptor.digest, size: descriptor.sizeBytes },
  });
}

/** Embedded content must be what the descriptor's digest says (image specification, descriptor, `data`). */
function checkEmbeddedData(manifest: ParsedManifest): void {
  for (const descriptor of allDescriptors(manifest)) {
    if (descriptor.data === undefined) continue;
    const [algorithm = '', encoded] = descriptor.digest.split(':');
    if (createHash(algorithm).update(Buffer.from(descriptor.data, 'base64')).digest('hex') === encoded) continue;
    throw new RegistryError('MANIFEST_INVALID', {
      message: `the data embedded for ${descriptor.digest} is other content`,
      detail: { digest: descriptor.digest },
    });
  }
}

function otherMediaType(mediaType: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', {
    message: `the repository holds these bytes as ${mediaType}; push them with that Content-Type`,
  });
}

function referrerFields({ subject, artifactType, annotations }: ParsedManifest) {
  if (!subject) return {};
  return { subject: subject.digest, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
}

/** The manifest with its blobs, those that are still to come included; deleting it takes away as much. */
function totalBytes({ payload }: PutManifest, { blobs, missing }: ResolvedReferences): number {
  const awaited = missing.filter(({ kind }) => kind === 'blob').map(({ descriptor }) => descriptor);
  return [...blobs, ...awaited].reduce((sum, blob) => sum + blob.sizeBytes, payload.byteLength);
}
