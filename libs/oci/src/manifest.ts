import { parseDescriptor, type Descriptor } from './descriptor.js';
import type { Digest } from './digest.js';
import { RegistryError } from './errors.js';
import {
  asObject,
  manifestInvalid,
  member,
  memberNames,
  optionalAnnotations,
  optionalMediaType,
  present,
  refuseCaseVariants,
} from './fields.js';
import { DEFAULT_JSON_LIMITS, JsonError, parseJson, type Json, type JsonLimits, type JsonObject } from './json.js';
import { resolveMediaType, type ManifestKind, type ResolvedType } from './manifest-type.js';
import { isForeignLayer, MEDIA_TYPES } from './media-type.js';

/** What a registry has to know about a manifest. The bytes themselves are stored and served untouched. */
export interface ParsedManifest {
  /** What the manifest is served as; fixed by the first push. */
  readonly mediaType: string;
  readonly kind: ManifestKind;
  /** The effective type, as the referrers listing shows it: the manifest's own, or the media type of its config. */
  readonly artifactType?: string;
  readonly config?: Descriptor;
  /** Layers of an image manifest, blobs of an artifact manifest. */
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ManifestLimits extends JsonLimits {
  readonly maxSizeBytes: number;
  /** Entries of `layers`, `manifests` or `blobs`. */
  readonly maxDescriptors: number;
  /** Entries of one map of annotations. */
  readonly maxAnnotations: number;
  /** Characters of one annotation, key and value together. */
  readonly maxAnnotationLength: number;
}

export const DEFAULT_MANIFEST_LIMITS: ManifestLimits = {
  ...DEFAULT_JSON_LIMITS,
  maxSizeBytes: 4 * 1024 * 1024,
  maxDescriptors: 10_000,
  maxAnnotations: 1_000,
  maxAnnotationLength: 64 * 1024,
};

const MANIFEST_MEMBERS = memberNames(
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'fsLayers',
  'subject',
  'annotations',
);

/**
 * Reads an image manifest, an index or an artifact manifest, in the types of OCI or of Docker.
 * @param contentType the Content-Type of the request; its parameters are ignored
 * @throws RegistryError MANIFEST_INVALID, or 413 SIZE_INVALID over the size limit
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  limits: Partial<ManifestLimits> = {},
): ParsedManifest {
  const bounds = { ...DEFAULT_MANIFEST_LIMITS, ...limits };
  if (bytes.byteLength > bounds.maxSizeBytes) {
    throw new RegistryError('SIZE_INVALID', {
      status: 413,
      message: `the manifest is larger than ${bounds.maxSizeBytes} bytes`,
    });
  }
  const document = asObject(parseDocument(bytes, bounds), 'the document');
  refuseCaseVariants(document, MANIFEST_MEMBERS, 'the document');
  const type = resolveMediaType(document, contentType);
  const manifest = readManifest(document, type, bounds);
  checkSizes(manifest);
  return manifest;
}

function parseDocument(bytes: Uint8Array, { maxDepth, maxValues }: ManifestLimits): Json {
  try {
    return parseJson(bytes, { maxDepth, maxValues });
  } catch (error) {
    if (error instanceof JsonError) throw manifestInvalid(`not acceptable JSON: ${error.message}`);
    throw error;
  }
}

function readManifest(document: JsonObject, type: ResolvedType, limits: ManifestLimits): ParsedManifest {
  const { kind, mediaType } = type;
  const lists = readLists(document, kind, limits);
  const config = kind === 'image' ? parseDescriptor(document['config'], 'config', limits) : undefined;
  const subject = member(document, 'subject');
  const artifactType = optionalMediaType(document, 'artifactType', 'artifactType');
  if (artifactType === undefined && (kind === 'artifact' || config?.mediaType === MEDIA_TYPES.ociEmpty)) {
    throw manifestInvalid('artifactType is missing, and nothing else says what the artifact is');
  }
  return present({
    mediaType,
    kind,
    artifactType: artifactType ?? config?.mediaType,
    config,
    ...lists,
    subject: subject === undefined ? undefined : parseDescriptor(subject, 'subject', limits),
    annotations: optionalAnnotations(document, 'annotations', limits),
  });
}

function readLists(
  document: JsonObject,
  kind: ManifestKind,
  limits: ManifestLimits,
): Pick<ParsedManifest, 'layers' | 'manifests'> {
  switch (kind) {
    case 'image':
      return { layers: readDescriptors(document['layers'], 'layers', limits), manifests: [] };
    case 'index':
      return { layers: [], manifests: readDescriptors(document['manifests'], 'manifests', limits) };
    case 'artifact':
      return { layers: readDescriptors(member(document, 'blobs') ?? [], 'blobs', limits), manifests: [] };
  }
}

function readDescriptors(list: Json | undefined, path: string, limits: ManifestLimits): readonly Descriptor[] {
  if (!Array.isArray(list)) throw manifestInvalid(`${path} must be a list`);
  if (list.length > limits.maxDescriptors) {
    throw manifestInvalid(`${path} holds more than ${limits.maxDescriptors} descriptors`);
  }
  return list.map((item: Json, index) => parseDescriptor(item, `${path}[${index}]`, limits));
}

/** One digest cannot have two sizes, wherever in the manifest it stands. */
function checkSizes(manifest: ParsedManifest): void {
  const sizes = new Map<Digest, number>();
  for (const { digest, sizeBytes } of allDescriptors(manifest)) {
    const known = sizes.get(digest);
    if (known !== undefined && known !== sizeBytes) throw manifestInvalid(`two sizes are given for ${digest}`);
    sizes.set(digest, sizeBytes);
  }
}

/** Config, layers, manifests and subject, in this order and as often as they are named. */
export function allDescriptors(manifest: ParsedManifest): readonly Descriptor[] {
  const { config, layers, manifests, subject } = manifest;
  return [...(config ? [config] : []), ...layers, ...manifests, ...(subject ? [subject] : [])];
}

/** The blobs that have to be in the repository: each digest once, without foreign layers, which stay elsewhere. */
export function requiredBlobs(manifest: ParsedManifest): readonly Descriptor[] {
  const { config, layers } = manifest;
  const blobs = [...(config ? [config] : []), ...layers.filter(({ mediaType }) => !isForeignLayer(mediaType))];
  return distinct(blobs);
}

/** The entries of an index that have to be in the repository: each digest once. */
export function requiredManifests(manifest: ParsedManifest): readonly Descriptor[] {
  return distinct(manifest.manifests);
}

function distinct(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
