import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { digestOf, randomText } from '../data/digest.js';
import { mediaTypes } from '../data/media-types.js';
import { tarOf } from '../data/tar.js';

/** Bytes and their digest. */
export interface Content {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** A manifest to push, with the subject it refers to and the annotation it carries. */
export interface Referrer extends Content {
  readonly mediaType: string;
  readonly subject: string;
  readonly annotation?: string;
}

/** Everything that the suite pushes; each category has a config and a manifest of its own. */
export interface Fixtures {
  readonly configs: Readonly<Record<Category, Content>>;
  readonly manifests: Readonly<Record<Category, Content>>;
  readonly layer: Content;
  /** The manifest of the push category once more, without layers and without `mediaType`. */
  readonly layerlessManifest: Content;
  readonly streamedBlob: Content;
  readonly emptyJson: Content;
  readonly artifactBlobs: Readonly<Record<'a' | 'b', Content>>;
  readonly referrers: Readonly<Record<ReferrerName, Referrer>>;
}

/** What has content of its own; `subject` is what referrers point at, `absent` is never pushed while they are listed. */
export type Category = 'pull' | 'push' | 'discovery' | 'absent' | 'subject';

export type ReferrerName = 'configA' | 'layerA' | 'configB' | 'layerB' | 'index' | 'ofAbsent';

/** A digest that no repository has. */
export const absentDigest = digestOf('a blob that nobody pushes');
/** Not even a legal tag: registries must answer 404 all the same. */
export const absentReference = '.INVALID_MANIFEST_NAME';
export const annotationName = 'org.opencontainers.conformance.test';
export const artifactTypes = {
  a: 'application/vnd.example.entrepot.artifact.a',
  b: 'application/vnd.example.entrepot.artifact.b',
  index: 'application/vnd.example.entrepot.index',
} as const;

/** Content that no earlier run has pushed. */
export function createFixtures(): Fixtures {
  const layer = contentOf(gzipSync(tarOf('test.txt', Buffer.from(`layer ${randomText()}\n`))));
  const layers = [describe(layer, mediaTypes.gzippedLayer)];
  const configs = forEachCategory(() => createConfig());
  const manifests = forEachCategory((category) => {
    const config = describe(configs[category], mediaTypes.config, true);
    return documentOf({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers });
  });
  const emptyJson = contentOf(Buffer.from('{}'));
  const artifactBlobs = { a: contentOf(randomBytes(33)), b: contentOf(randomBytes(38)) };
  return {
    configs,
    manifests,
    layer,
    layerlessManifest: documentOf({
      schemaVersion: 2,
      config: describe(configs.push, mediaTypes.config, true),
      layers: [],
    }),
    streamedBlob: contentOf(randomBytes(42)),
    emptyJson,
    artifactBlobs,
    referrers: createReferrers(manifests, { emptyJson, artifactBlobs }),
  };
}

function forEachCategory(make: (category: Category) => Content): Record<Category, Content> {
  const [pull, push, discovery] = [make('pull'), make('push'), make('discovery')];
  return { pull, push, discovery, absent: make('absent'), subject: make('subject') };
}

type Parts = Pick<Fixtures, 'emptyJson' | 'artifactBlobs'>;

/** Two artifacts of each type, told by the config and by `artifactType`, an index over the first two, one of an absent subject. */
function createReferrers(manifests: Fixtures['manifests'], parts: Parts): Fixtures['referrers'] {
  const { subject, absent } = manifests;
  const configA = byConfig('a', parts, subject);
  const layerA = byArtifactType('a', parts, { subject, annotation: 'layer a' });
  const index = referrerOf(
    {
      mediaType: mediaTypes.index,
      artifactType: artifactTypes.index,
      manifests: [configA, layerA].map((child) => describe(child, mediaTypes.manifest)),
    },
    { subject, annotation: 'index' },
  );
  return {
    configA,
    layerA,
    configB: byConfig('b', parts, subject),
    layerB: byArtifactType('b', parts, { subject, annotation: 'layer b' }),
    index,
    ofAbsent: byArtifactType('b', parts, { subject: absent }),
  };
}

function byConfig(kind: 'a' | 'b', parts: Parts, subject: Content): Referrer {
  const config = describe(parts.artifactBlobs[kind], artifactTypes[kind]);
  const layers = [describe(parts.emptyJson, mediaTypes.empty)];
  return referrerOf({ mediaType: mediaTypes.manifest, config, layers }, { subject, annotation: `config ${kind}` });
}

type Relation = { readonly subject: Content; readonly annotation?: string };

function byArtifactType(kind: 'a' | 'b', parts: Parts, relation: Relation): Referrer {
  const config = describe(parts.emptyJson, mediaTypes.empty);
  const layers = [describe(parts.artifactBlobs[kind], artifactTypes[kind])];
  const artifactType = artifactTypes[kind];
  return referrerOf({ mediaType: mediaTypes.manifest, artifactType, config, layers }, relation);
}

function referrerOf(
  document: { readonly mediaType: string; readonly [field: string]: unknown },
  relation: Relation,
): Referrer {
  const { subject, annotation } = relation;
  const content = documentOf({
    schemaVersion: 2,
    ...document,
    subject: describe(subject, mediaTypes.manifest),
    ...(annotation !== undefined && { annotations: { [annotationName]: annotation } }),
  });
  const shared = { mediaType: document.mediaType, subject: subject.digest };
  return { ...content, ...shared, ...(annotation !== undefined && { annotation }) };
}

function createConfig(): Content {
  const rootfs = { type: 'layers', diff_ids: [] };
  return documentOf({ architecture: 'amd64', os: 'linux', rootfs, author: randomText() });
}

/** A descriptor with a field that the specification does not know, which is null unless the content is embedded too. */
function describe(content: Content, mediaType: string, isEmbedded = false): Readonly<Record<string, unknown>> {
  const { bytes, digest } = content;
  const extra = isEmbedded ? Buffer.from('any value').toString('base64') : null;
  const data = isEmbedded ? { data: bytes.toString('base64') } : {};
  return { mediaType, digest, size: bytes.length, ...data, newUnspecifiedField: extra };
}

function documentOf(document: unknown): Content {
  return contentOf(Buffer.from(JSON.stringify(document, null, '\t')));
}

/** The bytes with their digest. */
export function contentOf(bytes: Buffer): Content {
  return { bytes, digest: digestOf(bytes) };
}
