import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WORKSPACE } from '../workspace/places.js';

const SHELVES = ['', 'docs', 'docs/adr', ...roomsOf('test'), ...roomsOf('apps'), ...roomsOf('libs')];
const DOCUMENTS = SHELVES.flatMap((shelf) => namesIn(shelf).map((name) => join(shelf, name))).filter((path) =>
  path.endsWith('.md'),
);

describe('documents', () => {
  it.each(DOCUMENTS)('%s has no link that leads nowhere', (path) => {
    const text = readFileSync(join(WORKSPACE, path), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].flatMap(([, target]) => target ?? []);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(WORKSPACE, dirname(path), target)))).toEqual([]);
  });

  it('list every decision', () => {
    const index = readFileSync(join(WORKSPACE, 'docs/adr/README.md'), 'utf8');
    const decisions = namesIn('docs/adr').filter((name) => /^\d/.test(name));
    expect(decisions.filter((name) => !index.includes(`(${name})`))).toEqual([]);
    expect(new Set(decisions.map((name) => name.slice(0, 4))).size).toBe(decisions.length);
  });
});

function roomsOf(shelf: string): string[] {
  return namesIn(shelf).map((name) => join(shelf, name));
}

function namesIn(directory: string): string[] {
  return readdirSync(join(WORKSPACE, directory)).toSorted();
}
