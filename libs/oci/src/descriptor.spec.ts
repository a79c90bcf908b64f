import { describe, expect, it } from 'vitest';
import { parseDescriptor } from './descriptor.js';
import type { Json, JsonObject } from './json.js';
import { MEDIA_TYPES } from './media-type.js';

const digest = `sha256:${'a'.repeat(64)}`;
const layer: JsonObject = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: 2 };
const limits = { maxAnnotations: 2, maxAnnotationLength: 8 };

const parse = (value: Json) => parseDescriptor(value, 'layers[3]', limits);
const invalid = expect.objectContaining({ code: 'MANIFEST_INVALID', status: 400 }) as Error;

describe('parseDescriptor', () => {
  it('reads every member', () => {
    const platform = { architecture: 'arm64', os: 'linux', variant: 'v8', 'os.version': '1', 'os.features': ['x'] };
    const members = { urls: ['https://example.com/x'], annotations: { a: 'b' }, data: 'e30=', artifactType: 'x/y' };
    expect(parse({ ...layer, ...members, platform, unknown: 1 })).toEqual({
      mediaType: MEDIA_TYPES.ociLayerGzip,
      digest,
      sizeBytes: 2,
      ...members,
      platform: { architecture: 'arm64', os: 'linux', variant: 'v8', osVersion: '1', osFeatures: ['x'] },
    });
  });

  it('leaves out what is null or absent', () => {
    const nulls = { urls: null, annotations: null, data: null, artifactType: null, platform: null };
    expect(Object.keys(parse({ ...layer, ...nulls }))).toEqual(['mediaType', 'digest', 'sizeBytes']);
    expect(parse({ ...layer, platform: {} }).platform).toEqual({});
  });

  it.each([null, [], 'x', 7])('refuses %j, and says where', (value) => {
    expect(() => parse(value)).toThrow('layers[3] must be an object');
  });

  it.each([-1, -0, 1.5, 2 ** 53, 2 ** 53 + 2, 1e300, '2', null, true, []])('E-08 refuses the size %j', (size) => {
    expect(() => parse({ ...layer, size })).toThrow('layers[3].size');
  });

  it('takes sizes from 0 to 2^53-1', () => {
    expect(parse({ ...layer, size: 0 }).sizeBytes).toBe(0);
    expect(parse({ ...layer, size: Number.MAX_SAFE_INTEGER }).sizeBytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([null, '', 'sha256:x', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(32)}`, 7])(
    'D-03 refuses the digest %j as an invalid manifest',
    (bad) => {
      expect(() => parse({ ...layer, digest: bad })).toThrow(invalid);
    },
  );

  it.each([null, '', 7, 'a/b\n', `a/${'b'.repeat(254)}`])('refuses the mediaType %j', (mediaType) => {
    expect(() => parse({ ...layer, mediaType })).toThrow(invalid);
  });

  it.each([
    { Digest: digest },
    { SIZE: 2 },
    { 'url\u017f': [] },
    { MediaType: 'x' },
    { platform: { OS: 'linux' } },
    { platform: { architecture: 7 } },
    { platform: { 'os.features': 'x' } },
    { platform: [] },
    { annotations: { a: 'b', c: 'd', e: 'f' } },
    { annotations: { a: 'longer than 8' } },
    { artifactType: 7 },
    { urls: 'https://example.com' },
    { urls: [7] },
  ])('E-05 refuses %j', (members) => {
    expect(() => parse({ ...layer, ...members })).toThrow(invalid);
  });

  it.each(['e30', 'e30=e30=', 'e3==', 'e30==', '=e30', 'e3 0', 'e_0=', 'e30=\n', 'e3041g==', 7])(
    'E-08 refuses the data %j',
    (data) => {
      expect(() => parse({ ...layer, data })).toThrow('layers[3].data');
    },
  );

  it('takes empty data for none', () => {
    expect(parse({ ...layer, data: '' })).not.toHaveProperty('data');
  });

  it.each([
    ['YQ==', 1],
    ['e30=', 2],
    ['YWJj', 3],
  ])('E-08 takes the data %j of %i bytes', (data, size) => {
    expect(parse({ ...layer, data, size }).data).toBe(data);
    expect(() => parse({ ...layer, data, size: size + 1 })).toThrow('another length');
  });
});

describe('parseDescriptor of a foreign layer', () => {
  const foreign = { ...layer, mediaType: MEDIA_TYPES.dockerForeignLayer };

  it.each([null, []])('refuses it without urls (%j)', (urls) => {
    expect(() => parse({ ...foreign, urls })).toThrow('layers[3].urls is missing');
  });

  it.each(['https://example.com', 'HTTP://example.com:8080/a?b', 'http://[::1]:80/x', 'https://xn--e1.example/é'])(
    'E-09 takes the url %s',
    (url) => {
      expect(parse({ ...foreign, urls: [url] }).urls).toEqual([url]);
    },
  );

  it.each([
    'ftp://example.com/x',
    'file:///etc/passwd',
    'https://',
    'https:///x',
    'https://:80/x',
    'http://?x',
    'example.com/x',
    '//example.com/x',
    'https://example.com/x#fragment',
    'https://user@example.com/x',
    'https://user:pw@example.com/x',
    'https://example.com\\@evil/x',
    'https://example.com/a b',
    'https://example.com/\n',
    'https://example.com:port/x',
    '',
  ])('E-09 refuses the url %j', (url) => {
    expect(() => parse({ ...foreign, urls: [url] })).toThrow('layers[3].urls');
    expect(() => parse({ ...layer, urls: [url] })).toThrow('layers[3].urls');
  });
});
