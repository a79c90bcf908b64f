import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ManifestUses } from '../ports/manifest-uses.js';
import { UseMarks } from './use-marks.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

class RecordedUses implements ManifestUses {
  readonly written: string[][] = [];
  shortestRuleMs: number | undefined;
  isAway = false;

  async mark(manifestIds: readonly string[]): Promise<number | undefined> {
    if (this.isAway) throw new Error('away');
    this.written.push([...manifestIds]);
    return this.shortestRuleMs;
  }
}

let uses: RecordedUses;
let errors: unknown[];
beforeEach(() => {
  vi.useFakeTimers();
  uses = new RecordedUses();
  errors = [];
});
afterEach(() => vi.useRealTimers());

const marksOf = (untaggedMs: number | 'keep') =>
  new UseMarks({ uses, untaggedMs, onError: (error) => void errors.push(error) });
const writes = () => uses.written.filter((ids) => ids.length > 0);

describe('marks of use', () => {
  it('are written together, once for each manifest', async () => {
    const marks = marksOf(30 * DAY_MS);
    for (const id of ['1', '2', '1']) marks.note(id);
    await marks.flush();
    await marks.flush();
    expect(writes()).toEqual([['1', '2']]);
  });

  it('are spared for an hour, or for a tenth of a shorter time', async () => {
    for (const [untaggedMs, sparedMs] of [
      [30 * DAY_MS, HOUR_MS],
      ['keep', HOUR_MS],
      [HOUR_MS, HOUR_MS / 10],
    ] as const) {
      uses.written.length = 0;
      const marks = marksOf(untaggedMs);
      for (const step of [0, sparedMs - 1, 1]) {
        vi.advanceTimersByTime(step);
        marks.note('1');
        await marks.flush();
      }
      expect(writes()).toEqual([['1'], ['1']]);
    }
  });

  it('are spared for no longer than the shortest rule of a namespace allows, once that is known', async () => {
    const marks = marksOf(30 * DAY_MS);
    marks.start();
    marks.note('1');
    await vi.advanceTimersByTimeAsync(1000);
    uses.shortestRuleMs = 100_000;
    await vi.advanceTimersByTimeAsync(61_000);
    marks.note('1');
    await marks.close();
    expect(writes()).toEqual([['1'], ['1']]);
  });

  it('wait for a database that is away, and are written at the end', async () => {
    const marks = marksOf(DAY_MS);
    uses.isAway = true;
    marks.note('1');
    await marks.flush();
    marks.note('2');
    uses.isAway = false;
    await marks.close();
    expect(errors).toHaveLength(1);
    expect(writes().flat().toSorted()).toEqual(['1', '2']);
  });
});
