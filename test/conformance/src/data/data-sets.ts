import { randomBytes } from 'node:crypto';
import { addManifest, createDataSet } from './data-set.js';
import type { DataSet, Descriptor } from './data-set.js';
import { addConfig, addImage, addIndex, addIndexOf, addLayer, platforms } from './images.js';
import type { Artifact } from './images.js';
import { digestOf } from './digest.js';
import type { Algorithm } from './digest.js';
import { mediaTypes } from './media-types.js';

/** A data set of the main suite: what it is called, what it needs to run, and how it is made. */
export interface DataSetPlan {
  readonly name: string;
  readonly build: (set: DataSet) => void;
  /** Runs only when the level or the options include the feature. */
  readonly needs?: 'sparse' | 'tagParameters';
  /** Tags are given as `tag=` parameters when a manifest is put by its digest (end-7b). */
  readonly tagsByParameter?: boolean;
}

const artifactOne: Artifact = { artifactType: mediaTypes.exampleOne, layerMediaType: mediaTypes.exampleOne };
const artifactTwo: Artifact = { artifactType: mediaTypes.exampleTwo, layerMediaType: mediaTypes.octets };
const emptyArtifact: Artifact = { artifactType: mediaTypes.exampleOne, layerMediaType: mediaTypes.empty };
const annotations = { 'org.example.conformance': 'an annotation that referrers must show' };

/** Every data set, in the order in which they run. */
export const dataSetPlans: readonly DataSetPlan[] = [
  { name: 'image', build: (set) => addImage(set, { tag: 'image' }) },
  { name: 'image-uncompressed', build: (set) => addImage(set, { tag: 'image-uncompressed', isUncompressed: true }) },
  { name: 'large-manifest', build: addLargeManifest },
  { name: 'index', build: (set) => addIndex(set, { tag: 'index' }) },
  { name: 'nested-index', build: addNestedIndex },
  { name: 'empty-index', build: (set) => addIndex(set, { tag: 'index' }, []) },
  { name: 'artifact', build: (set) => addImage(set, { tag: 'artifact', artifact: artifactOne }) },
  { name: 'artifact-index', build: (set) => addIndex(set, { tag: 'artifact-index', artifact: artifactOne }) },
  {
    name: 'artifact-without-layers',
    build: (set) => addImage(set, { tag: 'artifact-without-layers', artifact: emptyArtifact }),
  },
  { name: 'artifacts-with-subject', build: addReferrersOfImage },
  { name: 'index-with-subject', build: addReferrerOfIndex },
  { name: 'missing-subject', build: addReferrerOfNothing },
  { name: 'data-field', build: (set) => addImage(set, { tag: 'data-field', hasData: true }) },
  { name: 'non-distributable-layers', build: addForeignLayers },
  { name: 'custom-fields', build: (set) => addIndex(set, { tag: 'custom-fields', hasExtraField: true }) },
  { name: 'no-layers', build: (set) => addImage(set, { tag: 'no-layers', layerCount: 0 }) },
  { name: 'sparse', needs: 'sparse', build: addSparse },
  // A tag cannot carry another algorithm than the canonical one without end-7b, so this set has no tags.
  { name: 'sha512', build: (set) => addIndex(set, { algorithm: 'sha512' }) },
  taggedByParameter('sha256'),
  taggedByParameter('sha512'),
  { name: 'bad-digest-image', build: addCorruptImage },
];

/** Makes the data set of a plan anew, with content that no earlier run has pushed. */
export function buildDataSet(plan: DataSetPlan): DataSet {
  const set = createDataSet();
  plan.build(set);
  return set;
}

/** About 3.9 MB of annotations: registries should accept manifests of at least 4 MiB. */
function addLargeManifest(set: DataSet): void {
  const entries = Array.from({ length: 390 }, (_, i) => [`large-annotation-${i}`, 'A'.repeat(10_000)] as const);
  addImage(set, { tag: 'large-manifest', annotations: Object.fromEntries(entries) });
}

function addNestedIndex(set: DataSet): void {
  const inner = [addIndex(set), addIndex(set)];
  addIndexOf(set, inner, { tag: 'index-of-index' });
}

function addReferrersOfImage(set: DataSet): void {
  const subject = addImage(set, { tag: 'image' });
  addImage(set, { subject });
  const traits = { annotations, isUnique: true, subject };
  addImage(set, { ...traits, artifact: artifactOne, tag: 'tagged-artifact1' });
  addImage(set, { ...traits, artifact: artifactTwo, tag: 'tagged-artifact2' });
}

function addReferrerOfIndex(set: DataSet): void {
  const subject = addIndex(set, { tag: 'index' });
  addIndex(set, { annotations, isUnique: true, subject, artifact: artifactOne, tag: 'tagged-artifact' });
}

function addReferrerOfNothing(set: DataSet): void {
  const subject = { mediaType: mediaTypes.manifest, size: 123, digest: digestOf(randomBytes(32)) };
  addImage(set, { annotations, isUnique: true, subject, artifact: artifactOne, tag: 'tagged-artifact' });
}

function addForeignLayers(set: DataSet): void {
  const layers = [
    foreignLayer(mediaTypes.gzippedForeignLayer),
    foreignLayer(mediaTypes.foreignLayer),
    addLayer(set),
  ];
  const config = addConfig(set, layers);
  const manifest = addManifest(set, { mediaType: mediaTypes.manifest, config, layers });
  set.tags.set('non-distributable-image', manifest.digest);
}

function foreignLayer(mediaType: string): Descriptor {
  const digest = digestOf(randomBytes(32));
  return { mediaType, digest, size: 123_456, urls: [`https://store.example.com/blobs/${digest}`] };
}

/** An image without one of its layers, and an index without one of its images. */
function addSparse(set: DataSet): void {
  addImage(set, { tag: 'sparse-image' });
  const [firstLayer] = set.blobs.keys();
  if (firstLayer !== undefined) set.blobs.delete(firstLayer);
  const [present, absent] = platforms;
  const image = { ...addImage(set), ...(present && { platform: present }) };
  const missing = { mediaType: mediaTypes.manifest, digest: digestOf(randomBytes(32)), size: 1024 };
  addIndexOf(set, [image, { ...missing, ...(absent && { platform: absent }) }], { tag: 'sparse-index' });
}

function taggedByParameter(algorithm: Algorithm): DataSetPlan {
  const name = `tag-param-${algorithm}`;
  return {
    name,
    needs: 'tagParameters',
    tagsByParameter: true,
    build(set) {
      // The index ends up with two tags, which makes its request carry two parameters of one name.
      addIndex(set, { tag: name, algorithm });
      for (const [i, manifest] of set.manifests.entries()) set.tags.set(`${name}-${i}`, manifest.digest);
    },
  };
}

function addCorruptImage(set: DataSet): void {
  addImage(set);
  const manifest = set.manifests.pop();
  if (manifest === undefined) return;
  // Whitespace keeps the document valid and changes its digest.
  set.manifests.push({ ...manifest, body: Buffer.concat([manifest.body, Buffer.from('  ')]), isCorrupt: true });
}
