import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { resolveMediaType } from './manifest-type.js';
import { MEDIA_TYPES } from './media-type.js';

const { ociManifest, ociIndex, dockerManifest, dockerManifestList, ociArtifactManifest } = MEDIA_TYPES;

const image: JsonObject = { schemaVersion: 2, config: {}, layers: [] };
const index: JsonObject = { schemaVersion: 2, manifests: [] };

describe('resolveMediaType', () => {
  it.each([
    [ociManifest, 'image', image],
    [dockerManifest, 'image', image],
    ['application/vnd.example.manifest+json', 'image', image],
    [ociIndex, 'index', index],
    [dockerManifestList, 'index', index],
    ['application/vnd.example.manifest+json', 'index', index],
    [ociArtifactManifest, 'artifact', { artifactType: 'a/b' }],
  ])('E-03 takes %s for the type of an %s, said outside, inside, or twice', (mediaType, kind, document) => {
    const inside = { ...document, mediaType };
    expect(resolveMediaType(document, `${mediaType.toUpperCase()} ; charset=utf-8`)).toEqual({ mediaType, kind });
    expect(resolveMediaType(inside, undefined)).toEqual({ mediaType, kind });
    expect(resolveMediaType(inside, mediaType)).toEqual({ mediaType, kind });
    expect(resolveMediaType({ ...document, mediaType: null }, mediaType)).toEqual({ mediaType, kind });
  });

  it('E-03 goes by the shape where no type is given', () => {
    expect(resolveMediaType(image, undefined)).toEqual({ mediaType: ociManifest, kind: 'image' });
    expect(resolveMediaType({ ...index, mediaType: '' }, '')).toEqual({ mediaType: ociIndex, kind: 'index' });
    for (const document of [{ ...image, ...index }, { schemaVersion: 2 }, { schemaVersion: 2, config: {} }]) {
      expect(() => resolveMediaType(document, undefined)).toThrow('manifest invalid');
    }
  });

  it.each([
    [ociManifest, dockerManifest],
    [dockerManifest, ociManifest],
    [ociManifest, ociIndex],
    ['application/json', ociManifest],
    ['application/octet-stream', ociManifest],
    [ociManifest, 'application/vnd.OCI.image.manifest.v1+json'],
  ])('E-02 refuses the Content-Type %s for the mediaType %s', (contentType, mediaType) => {
    expect(() => resolveMediaType({ ...image, mediaType }, contentType)).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', status: 400 }),
    );
  });

  it.each([
    'application/json',
    'text/html',
    'text/x+json',
    'application/x+json\r\nX: y',
    'image/svg+xml',
    '+json',
    'x',
  ])('E-06 refuses %j for the type of a manifest', (mediaType) => {
    expect(() => resolveMediaType(image, mediaType)).toThrow('manifest invalid');
    expect(() => resolveMediaType({ ...image, mediaType }, undefined)).toThrow('manifest invalid');
  });

  it.each([
    [{ ...image, schemaVersion: 1 }, undefined],
    [{ schemaVersion: 1, fsLayers: [], history: [] }, 'application/json'],
    [{ schemaVersion: 2, fsLayers: [] }, ociManifest],
    [image, MEDIA_TYPES.dockerSchema1],
    [image, `${MEDIA_TYPES.dockerSchema1Signed}; charset=utf-8`],
    [{ ...image, mediaType: MEDIA_TYPES.dockerSchema1Signed }, undefined],
  ])('E-06 refuses schema 1 and says how to convert it (%#)', (document, contentType) => {
    expect(() => resolveMediaType(document, contentType)).toThrow('skopeo copy --format v2s2');
  });

  it.each([7, {}, [], true])('refuses the mediaType %j', (mediaType) => {
    expect(() => resolveMediaType({ ...image, mediaType }, ociManifest)).toThrow('mediaType must be a string');
  });
});
