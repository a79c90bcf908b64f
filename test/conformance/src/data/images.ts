import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { addBlob, addManifest } from './data-set.js';
import type { DataSet, Descriptor, Document, Platform } from './data-set.js';
import { digestOf, randomText } from './digest.js';
import type { Algorithm } from './digest.js';
import { mediaTypes } from './media-types.js';
import { tarOf } from './tar.js';

/** What an image, artifact or index of a data set is like; everything is optional. */
export interface Traits {
  readonly tag?: string;
  readonly algorithm?: Algorithm;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Adds an annotation that no other manifest has. */
  readonly isUnique?: boolean;
  readonly layerCount?: number;
  readonly isUncompressed?: boolean;
  readonly artifact?: Artifact;
  readonly hasData?: boolean;
  /** Adds a field of a random name to config and manifests. */
  readonly hasExtraField?: boolean;
  readonly subject?: Descriptor;
  readonly platform?: Platform;
}

/** An artifact has an empty config and one layer: random bytes, or the empty JSON object again. */
export interface Artifact {
  readonly artifactType: string;
  readonly layerMediaType: string;
}

const artifactBlobSizeBytes = 2048;
const linuxAmd64: Platform = { os: 'linux', architecture: 'amd64' };
/** The two platforms of the multi-platform data sets. */
export const platforms: readonly Platform[] = [linuxAmd64, { os: 'linux', architecture: 'arm64' }];

/** Adds an image manifest with its config and layers, tagged when the traits say so. */
export function addImage(set: DataSet, traits: Traits = {}): Descriptor {
  const { artifact } = traits;
  const layers = artifact === undefined ? addLayers(set, traits) : [addArtifactLayer(set, artifact)];
  const config =
    artifact === undefined
      ? addConfig(set, layers, traits)
      : addBlob(set, Buffer.from('{}'), { mediaType: mediaTypes.empty });
  return addDocument(set, { mediaType: mediaTypes.manifest, config, layers }, traits);
}

/** Adds an index over images of the given platforms, which share its traits but for the tag. */
export function addIndex(set: DataSet, traits: Traits = {}, over: readonly Platform[] = platforms): Descriptor {
  const { tag, ...inherited } = traits;
  const children = over.map((platform) => ({ ...addImage(set, { ...inherited, platform }), platform }));
  return addIndexOf(set, children, { ...inherited, ...(tag !== undefined && { tag }) });
}

/** Adds an index of manifests that exist already, or do not. */
export function addIndexOf(set: DataSet, manifests: readonly Descriptor[], traits: Traits = {}): Descriptor {
  return addDocument(set, { mediaType: mediaTypes.index, manifests }, traits);
}

/** Adds one layer: a tar archive of one small file with random content, gzipped unless the traits say otherwise. */
export function addLayer(set: DataSet, traits: Traits = {}): Descriptor {
  const archive = tarOf('conformance.txt', Buffer.from(`conformance layer ${randomText()}\n`));
  const isPlain = traits.isUncompressed === true;
  return addBlob(set, isPlain ? archive : gzipSync(archive), {
    mediaType: isPlain ? mediaTypes.layer : mediaTypes.gzippedLayer,
    algorithm: traits.algorithm,
    hasData: traits.hasData,
  });
}

/**
 * Adds the config of an image over that many layers. It says nothing of their content, so images of one platform and
 * number of layers share theirs, within a repository and with whatever earlier runs have left elsewhere.
 */
export function addConfig(set: DataSet, layers: readonly Descriptor[], traits: Traits = {}): Descriptor {
  const config = {
    ...(traits.platform ?? linuxAmd64),
    author: 'conformance',
    rootfs: { type: 'layers', diff_ids: layers.map(() => digestOf('', traits.algorithm)) },
    ...extraField(traits),
  };
  const { algorithm, hasData } = traits;
  return addBlob(set, Buffer.from(JSON.stringify(config)), { mediaType: mediaTypes.config, algorithm, hasData });
}

function addLayers(set: DataSet, traits: Traits): Descriptor[] {
  return Array.from({ length: traits.layerCount ?? 2 }, () => addLayer(set, traits));
}

function addArtifactLayer(set: DataSet, artifact: Artifact): Descriptor {
  const isEmpty = artifact.layerMediaType === mediaTypes.empty;
  const bytes = isEmpty ? Buffer.from('{}') : randomBytes(artifactBlobSizeBytes);
  return addBlob(set, bytes, { mediaType: artifact.layerMediaType });
}

function addDocument(set: DataSet, content: Document, traits: Traits): Descriptor {
  const { artifact, subject, tag } = traits;
  const unique = traits.isUnique === true ? { [`org.example.${randomText()}`]: randomText() } : {};
  const annotations = { ...traits.annotations, ...unique };
  const document: Document = {
    ...content,
    ...(artifact && { artifactType: artifact.artifactType }),
    ...(subject && { subject }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...extraField(traits),
  };
  const descriptor = addManifest(set, document, traits.algorithm);
  if (tag !== undefined) set.tags.set(tag, descriptor.digest);
  return descriptor;
}

function extraField(traits: Traits): Readonly<Record<string, string>> {
  return traits.hasExtraField === true ? { [`org.${randomText()}`]: randomText() } : {};
}
