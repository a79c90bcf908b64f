import { describe, expect, it } from 'vitest';
import {
  readChangeId,
  readDigestReference,
  readHistoryReference,
  readId,
  readTagReference,
  readTime,
} from './parse-reference.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('references of the command line', () => {
  it('name a tag, a repository, or a manifest', () => {
    expect(readTagReference('acme/app:v1')).toEqual({ repository: 'acme/app', tag: 'v1' });
    expect(readTagReference('hello:latest')).toEqual({ repository: 'library/hello', tag: 'latest' });
    expect(readHistoryReference('acme/app')).toEqual({ repository: 'acme/app' });
    expect(readDigestReference(`acme/app@${DIGEST}`)).toEqual({ repository: 'acme/app', digest: DIGEST });
  });

  it.each([
    ['a tag', readTagReference, 'acme/app'],
    ['a tag', readTagReference, 'acme/app:'],
    ['a tag', readTagReference, `acme/app@${DIGEST}`],
    ['a tag', readTagReference, 'ACME/app:v1'],
    ['a manifest', readDigestReference, DIGEST],
    ['a manifest', readDigestReference, 'acme/app:v1'],
    ['a manifest', readDigestReference, 'acme/app@sha256:abc'],
    ['a time', readTime, 'yesterday'],
    ['a change', readChangeId, '-1'],
    ['an id', readId, 'acme/app'],
  ])('are refused where they are not %s: %o', (_, read, text) => {
    expect(() => read(text)).toThrow(/^It must /);
  });
});
