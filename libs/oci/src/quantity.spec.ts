import { describe, expect, it } from 'vitest';
import { formatByteSize, formatDuration, parseByteSize, parseDuration } from './quantity.js';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['15s', 15_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    [' 7d ', 604_800_000],
  ])('reads %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', 's', '-1s', '1.5s', '1 s', '5M', '1KiB', '1e3s', '999999999999d', '1s1s'])(
    'does not read %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('parseByteSize', () => {
  it.each([
    ['0B', 0],
    ['64KiB', 65_536],
    ['4MiB', 4_194_304],
    ['1GiB', 1_073_741_824],
    ['1TiB', 1_099_511_627_776],
  ])('reads %j', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', '4', '4MB', '4mib', '4M', '1s', '-1B', '999999999999TiB'])('does not read %j', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it.each([0, 1, 250, 1500, 90_000, 300_000, 5_400_000, 7_200_000, 604_800_000])('writes what is read as %j', (ms) => {
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  });

  it.each([
    [0, '0s'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [604_800_000, '7d'],
  ])('of %j takes the largest unit that says it exactly', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatByteSize', () => {
  it.each([
    [0, '0B'],
    [1025, '1025B'],
    [4_194_304, '4MiB'],
  ])('of %j takes the largest unit that says it exactly', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
  });
});
