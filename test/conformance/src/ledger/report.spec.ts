import { describe, expect, it } from 'vitest';
import { assess } from './ledger.js';
import type { Ledger } from './ledger.js';
import { Mismatch, throwAll, Unsupported } from './outcome.js';
import { formatJson, formatReport } from './report.js';

const label = { suite: 'main', clause: 'end-2' } as const;

async function fill(): Promise<Ledger> {
  const ledger: Ledger = [];
  await assess(ledger, { ...label, group: 'image/push', name: 'one' }, () => Promise.resolve());
  await assess(ledger, { ...label, group: 'image/pull', name: 'two' }, () => Promise.reject(new Mismatch('too long')));
  await assess(ledger, { ...label, group: 'index', name: 'three' }, () => Promise.reject(new Unsupported('not here')));
  await assess(ledger, { ...label, group: 'index', name: 'four' }, () => Promise.reject(new TypeError('no answer')));
  return ledger;
}

describe('the report', () => {
  it('counts by outermost group, gives clause and reason, and ends with the sum', async () => {
    const lines = formatReport(await fill())
      .trimEnd()
      .split('\n');
    expect(lines.slice(1, 3).map((line) => line.split(/\s{2,}/))).toEqual([
      ['main', 'image', '1', '1', '0'],
      ['main', 'index', '0', '1', '1'],
    ]);
    expect(lines).toContain('FAIL  main  image/pull/two  [end-2]');
    expect(lines).toContain('      too long');
    expect(lines.at(-1)).toBe('1 passed, 2 failed, 1 skipped');
  });

  it('holds every assertion as JSON', async () => {
    const { counts, assertions } = JSON.parse(formatJson(await fill())) as { counts: object; assertions: object[] };
    expect(counts).toEqual({ pass: 1, fail: 2, skip: 1 });
    expect(assertions[1]).toEqual({ ...label, group: 'image/pull', name: 'two', outcome: 'fail', detail: 'too long' });
  });
});

describe('throwAll', () => {
  it('lets a broken rule outweigh a missing feature', () => {
    expect(() => throwAll([new Unsupported('a'), new Mismatch('b')])).toThrow(Mismatch);
    expect(() => throwAll([new Unsupported('a')])).toThrow(Unsupported);
    expect(() => throwAll([])).not.toThrow();
  });
});
