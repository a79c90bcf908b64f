import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryError } from './errors.js';
import { allDescriptors, parseManifest, requiredBlobs, requiredManifests } from './manifest.js';
import { MEDIA_TYPES } from './media-type.js';
import { refusalOf } from './total-parser.suite.js';

const { ociManifest, ociIndex, ociEmpty, ociConfig, ociLayerGzip, ociForeignLayer, dockerManifest } = MEDIA_TYPES;

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const descriptor = (letter: string, more: object = {}) => ({
  mediaType: ociLayerGzip,
  digest: digestOf(letter),
  size: 10,
  ...more,
});
const config = descriptor('c', { mediaType: ociConfig });
const image = { schemaVersion: 2, mediaType: ociManifest, config, layers: [descriptor('a'), descriptor('b')] };
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor('d', { mediaType: ociManifest })] };
const artifact = {
  mediaType: MEDIA_TYPES.ociArtifactManifest,
  artifactType: 'application/x',
  blobs: [descriptor('a')],
};

const withChildren = (count: number) => ({ ...index, manifests: Array.from({ length: count }, () => descriptor('d')) });
const annotationsOf = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, number) => [`large-${number}`, 'A'.repeat(length)]));

const bytesOf = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));
const parse = (document: unknown, contentType?: string) => parseManifest(bytesOf(document), contentType);
const invalid = expect.objectContaining({ code: 'MANIFEST_INVALID', status: 400 }) as Error;

describe('parseManifest', () => {
  it('reads an image manifest', () => {
    const subject = descriptor('e', { mediaType: ociManifest });
    const annotations = { 'org.example': 'x' };
    const manifest = parse({ ...image, subject, annotations }, `${ociManifest}; charset=utf-8`);
    expect(manifest).toMatchObject({ mediaType: ociManifest, kind: 'image', artifactType: ociConfig, manifests: [] });
    expect(manifest.config).toEqual({ mediaType: ociConfig, digest: digestOf('c'), sizeBytes: 10 });
    expect(manifest.annotations).toEqual({ 'org.example': 'x' });
    expect(allDescriptors(manifest).map(({ digest }) => digest)).toEqual(['c', 'a', 'b', 'e'].map(digestOf));
  });

  it('reads an index, which has no artifact type but its own', () => {
    const manifest = parse(index, ociIndex);
    expect(manifest).toMatchObject({ mediaType: ociIndex, kind: 'index', layers: [] });
    expect(manifest).not.toHaveProperty('artifactType');
    expect(manifest).not.toHaveProperty('config');
    expect(parse({ ...index, artifactType: 'application/x' })).toHaveProperty('artifactType', 'application/x');
  });

  it('reads the deprecated artifact manifest, whose blobs it takes for layers', () => {
    const manifest = parse(artifact);
    expect(manifest).toMatchObject({ kind: 'artifact', artifactType: 'application/x' });
    expect(manifest.layers).toHaveLength(1);
    expect(parse({ ...artifact, blobs: undefined }).layers).toEqual([]);
    expect(() => parse({ ...artifact, artifactType: undefined })).toThrow(invalid);
  });

  it("takes Docker's types, and an index of blobs, which BuildKit's cache is", () => {
    const { dockerConfig, dockerLayer, dockerManifestList } = MEDIA_TYPES;
    const dockerImage = { ...image, mediaType: dockerManifest, config: descriptor('c', { mediaType: dockerConfig }) };
    expect(parse({ ...dockerImage, layers: [descriptor('a', { mediaType: dockerLayer })] })).toMatchObject({
      kind: 'image',
      artifactType: dockerConfig,
    });
    const platform = { architecture: 'amd64', os: 'linux', features: ['sse4'] };
    const child = descriptor('d', { mediaType: dockerManifest, platform });
    const list = parse({ ...index, mediaType: dockerManifestList, manifests: [child] }, dockerManifestList);
    expect(list.manifests[0]?.platform).toEqual({ architecture: 'amd64', os: 'linux' });
    const cache = [descriptor('a'), descriptor('c', { mediaType: 'application/vnd.buildkit.cacheconfig.v0' })];
    expect(parse({ ...index, manifests: cache }).manifests).toHaveLength(2);
  });

  it('takes an empty list of layers, and of manifests', () => {
    expect(parse({ ...image, layers: [] }).layers).toEqual([]);
    expect(parse({ ...index, manifests: [] }).manifests).toEqual([]);
  });

  it('takes null for an absent member, as Go clients write it, but not where a list belongs', () => {
    const nulls = { subject: null, annotations: null, artifactType: null, manifests: null };
    expect(parse({ ...image, ...nulls })).toEqual(parse(image));
    expect(() => parse({ ...image, layers: null })).toThrow(invalid);
    expect(() => parse({ ...image, layers: undefined })).toThrow(invalid);
    expect(() => parse({ ...image, config: null })).toThrow(invalid);
    expect(() => parse({ ...index, manifests: null })).toThrow(invalid);
  });

  it('lets unknown members be', () => {
    expect(parse({ ...image, 'org.example': { a: [1.5, null] }, x: true })).toEqual(parse(image));
  });

  it('asks an artifact in an image manifest for its type', () => {
    const empty = { ...config, mediaType: ociEmpty };
    expect(() => parse({ ...image, config: empty })).toThrow('artifactType is missing');
    expect(() => parse({ ...image, config: empty, artifactType: '' })).toThrow('artifactType is missing');
    expect(parse({ ...image, config: empty, artifactType: 'a/b' })).toHaveProperty('artifactType', 'a/b');
  });

  it.each(['[]', '""', 'null', '7', 'true', '', '{}', '{"schemaVersion":2}'])('refuses the document %j', (text) => {
    expect(() => parseManifest(new TextEncoder().encode(text), ociManifest)).toThrow(invalid);
    expect(() => parseManifest(new TextEncoder().encode(text), undefined)).toThrow(invalid);
  });

  it.each([undefined, null, 0, 1, 3, 2.5, '2', [2]])('refuses schemaVersion %j', (schemaVersion) => {
    expect(() => parse({ ...image, schemaVersion })).toThrow(invalid);
  });

  it.each([{ a: 1 }, { a: null }, { a: ['x'] }, ['x'], 'x', 1])('refuses the annotations %j', (annotations) => {
    expect(() => parse({ ...image, annotations })).toThrow(invalid);
  });
});

describe('parseManifest against confusion', () => {
  it.each([
    ['layers and manifests', { ...image, manifests: [] }],
    ['manifests and layers', { ...index, layers: [] }],
    ['config and manifests', { ...index, config }],
    ['layers and blobs', { ...image, blobs: [] }],
    ['blobs and manifests', { ...artifact, manifests: [] }],
  ])('E-01 refuses %s', (_, document) => {
    expect(() => parse(document)).toThrow(invalid);
    expect(() => parse({ ...document, mediaType: undefined })).toThrow(invalid);
  });

  it.each(['Layers', 'layerS', 'layer\u017f', 'SCHEMAVERSION', 'mediatype', 'Config', 'Subject', 'FSLayers', 'Blobs'])(
    'E-05 refuses the member %s',
    (name) => {
      expect(() => parse({ ...image, [name]: [] })).toThrow('in other case');
    },
  );

  it('E-05 refuses repeated members, comments and trailing data, and says where', () => {
    const text = JSON.stringify(image);
    for (const bad of [text.replace('{', '{"layers":[],'), `${text}//`, `${text}{}`, text.replace(',', ',,')]) {
      expect(() => parseManifest(new TextEncoder().encode(bad), ociManifest)).toThrow(/at position \d+/);
    }
  });

  it('E-08 refuses two sizes for one digest, wherever they stand', () => {
    const other = { size: 11 };
    expect(() => parse({ ...image, layers: [descriptor('a'), descriptor('a', other)] })).toThrow('two sizes');
    expect(() => parse({ ...image, layers: [descriptor('c', other)] })).toThrow('two sizes');
    expect(() => parse({ ...index, subject: descriptor('d', other) })).toThrow('two sizes');
    expect(parse({ ...image, layers: [descriptor('a'), descriptor('a')] }).layers).toHaveLength(2);
  });

  it('E-10 caps the number of children', () => {
    expect(requiredManifests(parse(withChildren(10_000)))).toHaveLength(1);
    expect(() => parse(withChildren(10_001))).toThrow(invalid);
  });

  it('E-11 caps annotations, and takes as many as four mebibytes of manifest may hold', () => {
    expect(parse({ ...image, annotations: annotationsOf(390, 10_000) }).annotations).toHaveProperty('large-389');
    expect(() => parse({ ...image, annotations: annotationsOf(1001, 1) })).toThrow(invalid);
    expect(() => parse({ ...image, annotations: annotationsOf(1, 64 * 1024) })).toThrow(invalid);
    expect(() => parse({ ...image, annotations: annotationsOf(420, 10_000) })).toThrow(
      expect.objectContaining({ code: 'SIZE_INVALID', status: 413 }),
    );
  });

  it('D-04 leaves the prototype of objects alone', () => {
    const text = '{"schemaVersion":2,"__proto__":{"config":1},"constructor":{"prototype":{"x":1}},"manifests":[]}';
    expect(parseManifest(new TextEncoder().encode(text), ociIndex).kind).toBe('index');
    expect('x' in {}).toBe(false);
  });

  it('refuses any damage to a manifest with MANIFEST_INVALID, or reads it', () => {
    const valid = new TextEncoder().encode(JSON.stringify({ ...image, annotations: { a: 'b' }, subject: config }));
    const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = valid.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const refusal = refusalOf(() => parseManifest(bytes, ociManifest));
        expect(refusal === undefined || (refusal instanceof RegistryError && refusal.code === 'MANIFEST_INVALID')).toBe(
          true,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses any other value in any place with MANIFEST_INVALID, or reads it', () => {
    const paths = [
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'manifests',
      'subject',
      'annotations',
      'artifactType',
    ];
    const edits = fc.dictionary(fc.constantFrom(...paths), fc.jsonValue(), { maxKeys: 3 });
    fc.assert(
      fc.property(edits, fc.constantFrom(image, index, artifact), (edit, document) => {
        const refusal = refusalOf(() => parse({ ...document, ...edit }));
        expect(refusal === undefined || (refusal instanceof RegistryError && refusal.code === 'MANIFEST_INVALID')).toBe(
          true,
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('requiredBlobs', () => {
  it('names each blob once and leaves out the foreign ones', () => {
    const foreign = descriptor('f', { mediaType: ociForeignLayer, urls: ['https://example.com/layer'] });
    const layers = [descriptor('a'), descriptor('b'), descriptor('a'), foreign, descriptor('c')];
    const blobs = requiredBlobs(parse({ ...image, layers }));
    expect(blobs.map(({ digest }) => digest)).toEqual(['c', 'a', 'b'].map(digestOf));
    expect(requiredBlobs(parse(index))).toEqual([]);
  });
});
