import { describe, expect, it } from 'vitest';
import { KINDS } from './kind-names.js';
import { refuseParameters } from './parameters.js';

describe('parameters of jobs', () => {
  it('are what the kind declares, and nothing else', () => {
    expect(refuseParameters('scrub', { repositry: 'acme/app' })).toBe(
      'scrub has no parameter repositry; there are dry-run, repository',
    );
    expect(refuseParameters('review', { constructor: 'x' })).toContain('no parameter constructor');
    expect(refuseParameters('scrub', { repository: 'acme/app', 'dry-run': 'false' })).toBeUndefined();
    expect(refuseParameters('unheard-of', { any: 'thing' })).toBeUndefined();
  });

  it('have values that can be used', () => {
    for (const kind of Object.keys(KINDS)) {
      expect(refuseParameters(kind, { 'dry-run': 'true' })).toBeUndefined();
      for (const value of ['yes', '1', '', 'TRUE']) {
        expect(refuseParameters(kind, { 'dry-run': value })).toContain('must be true or false');
      }
    }
    expect(refuseParameters('sweep', { rate: '0.5' })).toBeUndefined();
    for (const rate of ['0', '-1', 'fast', 'Infinity', '']) {
      expect(refuseParameters('sweep', { rate })).toContain('must be a number of objects per second');
    }
    expect(refuseParameters('scrub', { repository: 'No Such' })).toContain('must be the name of a repository');
  });
});
