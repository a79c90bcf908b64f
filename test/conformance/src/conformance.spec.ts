import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from './environment.js';
import type { Settings } from './environment.js';
import type { Ledger } from './ledger/ledger.js';
import { formatComplaint, tally } from './ledger/report.js';
import { findSubjects } from './registries/subjects.js';
import type { Running } from './registries/subjects.js';
import { runConformance } from './run.js';

/** The two assertions of v1.1.1 that a registry which mounts automatically leaves nothing for. */
const allowedSkips = new Set([
  'Cross-mounting of nonexistent blob should yield session id',
  'Cross-mounting without from, and automatic content discovery disabled should return a 202',
]);

describe.each(findSubjects())('$name', ({ hasSparse, start }) => {
  let running: Running;
  let ledger: Ledger;

  beforeAll(async () => {
    running = await start();
    ledger = await runConformance(settingsFor(running, hasSparse));
  });

  afterAll(() => running.stop());

  it('fails nothing', () => {
    expect(ledger.filter(({ outcome }) => outcome === 'fail').map(formatComplaint)).toEqual([]);
  });

  it('skips only what cannot run where blobs are mounted automatically', () => {
    const skips = ledger.filter(({ outcome, name }) => outcome === 'skip' && !allowedSkips.has(name));
    expect(skips.map(formatComplaint)).toEqual([]);
  });

  it.each([
    ['main', 950],
    ['v1.1.1', 70],
    ['beyond', 25],
  ])('holds the whole suite %s: more than %i assertions', (suite, floor) => {
    expect(tally(ledger.filter((assertion) => assertion.suite === suite)).pass).toBeGreaterThan(floor);
  });
});

function settingsFor({ environment }: Running, hasSparse: boolean): Settings {
  return readSettings({ CONFORMANCE_SPARSE: hasSparse ? 'on' : 'off', ...environment });
}
