import { describe, expect, it } from 'vitest';
import { readArrowTable, type ArrowTable } from './workspace/arrow-table.js';

const FRAMEWORKS = /^@nestjs\/|^(fastify|typeorm|pg|bullmq|ioredis|rxjs|reflect-metadata)$/;
const DOMAINS = ['libs/content', 'libs/access', 'libs/jobs'];

/** The arrows of ARCHITECTURE.md once more, in general terms, so that an entry that was loosened is noticed. */
describe('the table of arrows', () => {
  const table = readArrowTable();
  const entry = (room: string) => table[room] ?? { node: true, rooms: [], packages: {} };

  it('lets oci import nothing, not even Node', () => {
    expect(entry('libs/oci')).toEqual({ node: false, rooms: [], packages: {} });
  });

  it('keeps domains apart and free of frameworks', () => {
    for (const domain of DOMAINS) {
      expect(entry(domain).rooms).toEqual(['libs/oci']);
      expect(Object.keys(entry(domain).packages).filter((name) => FRAMEWORKS.test(name))).toEqual([]);
      expect(Object.values(entry(domain).packages)).not.toContain('everywhere');
    }
  });

  it('keeps runtime away from every domain, and Nest and Fastify out of every other library', () => {
    expect(entry('libs/runtime').rooms).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/content|access|jobs|metadata|blob/)]),
    );
    const nested = Object.keys(table).filter((room) =>
      Object.keys(entry(room).packages).some((name) => /^@nestjs\/|^fastify$/.test(name)),
    );
    expect(nested.filter((room) => room.startsWith('libs/'))).toEqual(['libs/runtime']);
  });

  it('lets adapters see the domains whose ports they implement, and no other room', () => {
    expect(entry('libs/metadata').rooms.toSorted()).toEqual(['libs/access', 'libs/content', 'libs/jobs', 'libs/oci']);
    expect(entry('libs/blob-store').rooms).toEqual(expect.not.arrayContaining(['libs/access', 'libs/runtime']));
    expect(roomsWith(table, 'typeorm')).toEqual(['libs/metadata']);
  });

  it('lets contracts know no room of ours but the vocabulary', () => {
    expect(entry('libs/contracts').rooms.filter((room) => room !== 'libs/oci')).toEqual([]);
  });

  it('lets only apps join rooms, and only cli import apps', () => {
    const libraries = Object.keys(table).filter((room) => room.startsWith('libs/'));
    expect(libraries.flatMap((room) => entry(room).rooms).filter((room) => room.startsWith('apps/'))).toEqual([]);
    const importers = Object.keys(table).filter((room) => entry(room).rooms.some((other) => other.startsWith('apps/')));
    expect(importers).toEqual(['apps/cli']);
  });

  it('has no way back to where it came from', () => {
    const trails = Object.keys(table).map((room) => [room]);
    for (const trail of trails) {
      for (const next of entry(trail.at(-1) ?? '').rooms) {
        expect(trail).not.toContain(next);
        trails.push([...trail, next]);
      }
    }
  });
});

function roomsWith(table: ArrowTable, name: string): string[] {
  return Object.keys(table).filter((room) => table[room]?.packages[name] !== undefined);
}
