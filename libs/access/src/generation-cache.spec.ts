import { describe, expect, it } from 'vitest';
import { GenerationCache } from './generation-cache.js';

describe('GenerationCache', () => {
  it('never holds more than its bound', () => {
    const cache = new GenerationCache<number, number>(100);
    for (let key = 0; key < 10_000; key++) {
      cache.set(key, key);
      expect(cache.size).toBeLessThanOrEqual(100);
    }
  });

  it('keeps what is used, and forgets what is not', () => {
    const cache = new GenerationCache<string, number>(10);
    cache.set('used', 1);
    cache.set('unused', 2);
    for (let key = 0; key < 50; key++) {
      cache.set(`other-${key}`, key);
      expect(cache.get('used')).toBe(1);
    }
    expect(cache.get('unused')).toBeUndefined();
  });

  it('replaces a value in place', () => {
    const cache = new GenerationCache<string, number>(4);
    cache.set('a', 1);
    cache.set('a', 2);
    expect(cache.get('a')).toBe(2);
    expect(cache.size).toBe(1);
  });
});
