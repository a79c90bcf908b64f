import { describe, expect, it } from 'vitest';
import { advantage, median, percentile, spread } from './statistics.js';

describe('median', () => {
  it('takes the middle value, or the mean of the two in the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 2, 4, 8])).toBe(6);
    expect(median([7])).toBe(7);
  });

  it('compares as numbers, leaves its argument alone and refuses nothing', () => {
    const values = [100, 9, 20];
    expect(median(values)).toBe(20);
    expect(values).toEqual([100, 9, 20]);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  it('is the least value that the share does not exceed', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile([3, 1, 2], 0.99)).toBe(3);
    expect(percentile([7], 0)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

describe('spread', () => {
  it('is half the range as a share of the median', () => {
    expect(spread([90, 100, 110])).toBeCloseTo(0.1);
    expect(spread([5])).toBe(0);
    expect(spread([0, 0])).toBe(0);
  });
});

describe('advantage', () => {
  it('is above 1 for a higher rate and for a shorter time', () => {
    expect(advantage(300, 100, 'higher')).toBe(3);
    expect(advantage(100, 300, 'lower')).toBe(3);
    expect(advantage(50, 100, 'higher')).toBe(0.5);
  });
});
