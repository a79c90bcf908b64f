import { describe, expect, it } from 'vitest';
import { acceptsMediaType, bareMediaType, isForeignLayer, MEDIA_TYPES } from './media-type.js';
import { itIsTotal } from './total-parser.suite.js';

const { ociManifest, ociIndex, dockerManifest } = MEDIA_TYPES;

describe('bareMediaType', () => {
  it.each([
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['  Application/JSON ;q=0.1; x="a;b"', 'application/json'],
    ['', ''],
    [';', ''],
  ])('takes %j for %j', (header, mediaType) => {
    expect(bareMediaType(header)).toBe(mediaType);
  });
});

describe('acceptsMediaType', () => {
  it.each([undefined, '', ' , ', '*/*', 'application/*', `text/html, */*;q=0.1`, '*/*;q=nan'])(
    'lets a client that sends %j have anything',
    (accept) => {
      expect(acceptsMediaType(accept, ociManifest)).toBe(true);
    },
  );

  it.each([ociManifest, `${dockerManifest}, ${ociManifest}`, `${ociManifest};q=0.5`, ociManifest.toUpperCase()])(
    'lets a client that sends %j have the manifest',
    (accept) => {
      expect(acceptsMediaType(accept, ociManifest)).toBe(true);
    },
  );

  it.each([
    dockerManifest,
    `${ociManifest}x`,
    `x${ociManifest}`,
    'application',
    'text/*',
    `${ociIndex}, ${dockerManifest}`,
  ])('sees that a client that sends %j cannot read it', (accept) => {
    expect(acceptsMediaType(accept, ociManifest)).toBe(false);
  });

  it('D-11 reads five thousand types', () => {
    const many = Array.from({ length: 5000 }, (_, index) => `application/x-${index}`).join(',');
    expect(acceptsMediaType(many, ociManifest)).toBe(false);
    expect(acceptsMediaType(`${many},${ociManifest}`, ociManifest)).toBe(true);
  });

  itIsTotal((header) => acceptsMediaType(header, ociManifest));
});

describe('isForeignLayer', () => {
  it('knows the types of layers that stay elsewhere', () => {
    const foreign = Object.values(MEDIA_TYPES).filter(isForeignLayer);
    expect(foreign).toEqual(Object.values(MEDIA_TYPES).filter((type) => /foreign|nondistributable/.test(type)));
  });
});
