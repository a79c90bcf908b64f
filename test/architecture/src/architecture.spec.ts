import { describe, expect, it } from 'vitest';
import { checkPlacement } from './rules/check-placement.js';
import { checkWorkspace } from './rules/check-workspace.js';
import { formatViolation } from './rules/violation.js';
import { readArrowTable } from './workspace/arrow-table.js';
import { isTestRoom, readWorkspace } from './workspace/read-workspace.js';
import { BROKEN_WORKSPACE, WORKSPACE } from './workspace/places.js';

describe('the workspace', () => {
  it('keeps to the arrows, to its depth and names, and declares what it imports', () => {
    expect(checkWorkspace(WORKSPACE).map(formatViolation)).toEqual([]);
  });

  it('has an entry in the table for every room that is there, and for no other', () => {
    const rooms = readWorkspace(WORKSPACE).rooms.map(({ path }) => path);
    expect(Object.keys(readArrowTable()).toSorted()).toEqual(rooms.filter((path) => !isTestRoom(path)).toSorted());
  });
});

describe('a broken workspace', () => {
  it('is reported, breach by breach', () => {
    const reported = checkWorkspace(BROKEN_WORKSPACE).map(formatViolation);
    expect(reported.toSorted()).toEqual(BREACHES.toSorted());
  });

  it('is reported where a file grew too long', () => {
    const workspace = readWorkspace(BROKEN_WORKSPACE);
    const lengthen = (lineCount: number) => ({
      ...workspace,
      rooms: workspace.rooms.map((room) => ({ ...room, files: room.files.map((file) => ({ ...file, lineCount })) })),
    });
    const count = (lineCount: number) =>
      checkPlacement(lengthen(lineCount)).filter(({ rule }) => rule === 'length').length;
    const files = workspace.rooms.flatMap((room) => room.files);
    expect([count(400), count(600), count(601)]).toEqual([
      0,
      files.filter((file) => !file.isTest).length,
      files.length,
    ]);
  });
});

/** Everything that is wrong in fixtures/broken. */
const BREACHES = [
  'arrow: apps/registry/src/start-registry.ts:1 imports apps/cli',
  'arrow: libs/access/src/index.ts:8 imports libs/content',
  'arrow: libs/content/src/pull/pull-blob.ts:1 imports libs/access',
  'arrow: libs/content/src/pull/pull-blob.ts:2 imports libs/metadata',
  'arrow: libs/runtime/src/http/answer.ts:1 imports libs/access',
  'class-name: libs/content/src/pull/blob-helper.ts BlobManager is named after nothing: Manager',
  'computed-import: libs/access/src/index.ts:8 imports a module whose name is computed',
  'dependency: libs/metadata/package.json declares fast-check for development, and no test imports it',
  'dependency: libs/metadata/package.json declares typeorm, which nothing imports',
  'dependency: libs/metadata/package.json imports chai in a test without declaring it',
  'dependency: libs/metadata/package.json imports pg without declaring it',
  'depth: libs/oci/src/names/parts/first-part.ts is not at src/<file>.ts or src/<area>/<file>.ts',
  'door: libs/metadata/src/index.ts:1 imports libs/access past its index: /dist/index.js',
  'file-name: libs/content/src/pull/Pull_Tags.ts is not kebab-case',
  'file-name: libs/content/src/pull/blob-helper.ts is named after nothing: Helper',
  'index: libs/content/src/index.ts exports *: an index lists names',
  'index: libs/content/src/pull/index.ts is a second index: a room has one, src/index.ts',
  'index: libs/runtime has no src/index.ts',
  'node: libs/oci/src/digest.ts:1 imports node:crypto, and may not know Node',
  'package: libs/content/src/pull/pull-blob.ts:3 imports the package zod, which is for src/config.ts only',
  'reference: libs/content/tsconfig.json lacks a reference to libs/metadata',
  'reference: libs/content/tsconfig.json refers to libs/oci, which nothing imports',
  'reference: tsconfig.json lacks a reference to libs/access',
  'relative: libs/access/src/index.ts:1 reaches libs/oci/src/digest.js, outside its room',
  'test-code: libs/metadata/src/index.ts:2 imports libs/content/ports/blob-store.suite, which is for tests',
  'test-code: libs/metadata/src/index.ts:3 imports libs/testkit, which is for tests',
  'test-code: libs/metadata/src/index.ts:5 imports libs/metadata/src/rows.spec.js, which is for tests',
  'unlisted-room: apps/mirror has no entry in test/architecture/arrows.json',
  'version: libs/content/package.json zod is 4.6.7 here, 4.6.6 before',
  'version: libs/metadata/package.json typeorm ~1.1.1 is not exact',
  'version: package.json vitest ^5.1.0 is not exact',
];
