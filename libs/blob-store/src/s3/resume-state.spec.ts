import { describe, expect, it } from 'vitest';
import { decodeResume, encodeResume, resumedBytes, type ResumeState } from './resume-state.js';

const parts = { nonce: 'a', uploadId: 'id', ranges: [[1, 2]], sizeBytes: 100, etags: 'digest' } as const;
const state: ResumeState = { parts, pieces: { ...parts, sizeBytes: 30 }, rest: { nonce: 'b', sizeBytes: 7 } };

describe('what a writer leaves for the next one', () => {
  it('comes back as it was', () => {
    expect(decodeResume(encodeResume(state))).toEqual(state);
    expect(decodeResume(encodeResume({}))).toEqual({});
  });

  it('vouches for all its bytes', () => {
    expect(resumedBytes(state)).toBe(137);
    expect(resumedBytes({})).toBe(0);
  });

  it.each(['', 'null', '[]', '{}', '"text"', '{"version":2}', 'no json'])('is nothing else: %j', (text) => {
    expect(decodeResume(text)).toBeUndefined();
  });
});
