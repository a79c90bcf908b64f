import { describe, expect, it } from 'vitest';
import { MAX_PART_BYTES, MIN_PART_BYTES, PART_PLAN, plannedPart } from './part-plan.js';

const TIB = 2 ** 40;
const GIB = 2 ** 30;

/** Every part that the plan allows, from the first. */
function* parts() {
  for (let number = 1; ; number += 1) {
    const part = plannedPart(PART_PLAN, number);
    if (part === undefined) return;
    yield part;
  }
}

describe('the plan of parts', () => {
  it('fits 5 TiB in 10,000 parts, with numbers to spare for uploads that were handed over', () => {
    const all = [...parts()];
    expect(all.length).toBe(10_000);
    const sizeBytes = all.reduce((sum, part) => sum + part.sizeBytes, 0);
    expect(sizeBytes).toBeGreaterThan(5 * TIB + 350 * GIB);
  });

  it('keeps to what S3 takes, and never shrinks', () => {
    let formerBytes = 0;
    for (const { sizeBytes, pieceBytes = sizeBytes } of parts()) {
      expect(sizeBytes).toBeGreaterThanOrEqual(Math.max(MIN_PART_BYTES, formerBytes));
      expect(sizeBytes).toBeLessThanOrEqual(MAX_PART_BYTES);
      expect(sizeBytes % pieceBytes).toBe(0);
      formerBytes = sizeBytes;
    }
  });

  it('begins with 8 MiB and holds no more than 64 MiB in memory', () => {
    const held = [...parts()].map(({ sizeBytes, pieceBytes }) => pieceBytes ?? sizeBytes);
    expect(held[0]).toBe(8 * 2 ** 20);
    expect(Math.max(...held)).toBe(64 * 2 ** 20);
  });

  it('copies nothing below 390 GiB', () => {
    let sentBytes = 0;
    for (const { sizeBytes, pieceBytes } of parts()) {
      if (pieceBytes !== undefined) break;
      sentBytes += sizeBytes;
    }
    expect(sentBytes).toBeGreaterThan(390 * GIB);
  });
});
