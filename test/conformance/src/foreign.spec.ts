import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from './environment.js';
import { foreignRegistryPath, hasForeignRegistry, startForeignRegistry } from './registries/foreign-registry.js';
import type { ForeignRegistry } from './registries/foreign-registry.js';
import type { Assertion, Ledger, SuiteName } from './ledger/ledger.js';
import type { Outcome } from './ledger/outcome.js';
import { runConformance } from './run.js';

type Row = readonly [suite: SuiteName, group: string, name: string];

/** What distribution 2.8 is known not to do, or to do wrong. */
const gaps: Readonly<Record<string, readonly Row[]>> = {
  'has no referrers': [
    ['main', 'empty', 'referrers-empty'],
    ['main', 'missing-subject/push', 'manifest-put-by-digest'],
    ['main', 'artifacts-with-subject/referrers', 'referrers'],
    ['main', 'missing-subject/referrers', 'referrers'],
    ['v1.1.1', 'Content Discovery/Setup', 'References setup'],
    ['v1.1.1', 'Content Discovery/Listing references', 'GET request to existing blob should yield 200'],
  ],
  'knows blobs and manifests by sha256 only': [
    ['main', 'sha512 blobs/post+put', 'blob-post-put'],
    ['main', 'sha512/push', 'manifest-put-by-digest'],
    ['main', 'sha512/pull', 'manifest-get-by-digest'],
    ['main', 'tag-param-sha512/head', 'manifest-head-by-tag'],
  ],
  'sets no tags by parameter': [['beyond', 'manifests', 'ten tag parameters of one request are all set']],
  'does not look at Content-Range': [
    ['main', 'sha256 blobs/chunked out-of-order', 'blob-patch-chunked'],
    ['v1.1.1', 'Push/Blob Upload Chunked', 'Out-of-order blob upload should return 416'],
    ['beyond', 'uploads', 'a Content-Range of "one-ten" is refused with 400 or 416 and the upload survives'],
  ],
  'answers 5xx to a malformed digest or manifest': [
    ['main', 'invalid-digest-format', 'manifest-put-invalid-digest'],
    ['main', 'invalid-digest-format', 'manifest-get-invalid-digest'],
    ['v1.1.1', 'Pull/Error codes', '400 response body should contain OCI-conforming JSON message'],
    ['beyond', 'manifests', 'a manifest of `null` is refused with 400'],
  ],
  'forgets where an upload stood': [
    ['v1.1.1', 'Push/Blob Upload Chunked', 'Get on stale blob upload should return 204 with a range and location'],
  ],
  'does not page the tag list': [
    ['main', 'tag-param-sha256/tag-list', 'tag-list'],
    ['v1.1.1', 'Content Discovery/Listing tags', 'GET number of tags should be limitable by `n` query parameter'],
  ],
  'refuses layers with URLs': [['main', 'non-distributable-layers/push', 'manifest-put-by-digest']],
};

/** What it says it does not do. */
const declined: readonly Row[] = [
  ['main', 'sha256 blobs/post only', 'blob-post-only'],
  ['main', 'sha256 blobs/mount anonymous', 'blob-mount-anonymous'],
  ['main', 'tag-param-sha256/push', 'manifest-put-by-digest'],
  ['main', 'image/delete', 'tag-delete'],
];

/** What every registry has done for years. */
const core: readonly Row[] = [
  ['main', 'ping', 'ping'],
  ['main', 'empty', 'tag-list-empty'],
  ['main', 'sha256 blobs/get-missing', 'blob-get-missing'],
  ['main', 'sha256 blobs/post+put', 'blob-post-put'],
  ['main', 'sha256 blobs/chunked multi', 'blob-patch-chunked'],
  ['main', 'sha256 blobs/chunked multi and put chunk', 'blob-patch-chunked'],
  ['main', 'sha256 blobs/stream', 'blob-patch-stream'],
  ['main', 'sha256 blobs/mount', 'blob-mount'],
  ['main', 'sha256 blobs/mount missing', 'blob-mount'],
  ['main', 'sha256 blobs/post cancel', 'blob-post-cancel'],
  ['main', 'sha256 blobs/range requests/range 500-1499', 'blob-get-range'],
  ['main', 'sha256 blobs/empty', 'blob-get'],
  ['main', 'sha256 blobs/bad digest stream', 'blob-patch-stream'],
  ['main', 'image/push', 'manifest-put-by-tag'],
  ['main', 'image/head', 'manifest-head-by-tag'],
  ['main', 'image/pull', 'manifest-get-by-digest'],
  ['main', 'image/delete', 'manifest-gone'],
  ['main', 'image/delete', 'blob-gone'],
  ['main', 'large-manifest/pull', 'manifest-get-by-tag'],
  ['main', 'nested-index/push', 'manifest-put-by-tag'],
  ['main', 'custom-fields/pull', 'manifest-get-by-digest'],
  ['main', 'bad-digest-image/push', 'manifest-put-by-digest'],
  ['main', 'missing-manifest', 'manifest-get-missing-tag'],
  ['v1.1.1', 'Push/Blob Upload Streamed', 'PUT request to session URL with digest should yield 201 response'],
  ['v1.1.1', 'Push/Manifest Upload', 'Registry should accept a manifest upload with no layers'],
  ['v1.1.1', 'Content Management/Blob delete', 'GET request to deleted blob URL should yield 404 response'],
];

describe.runIf(hasForeignRegistry())("the port on Debian's docker-registry", () => {
  let registry: ForeignRegistry;
  let ledger: Ledger;

  beforeAll(async () => {
    registry = await startForeignRegistry();
    ledger = await runConformance(readSettings({ CONFORMANCE_URL: registry.url }));
  });

  afterAll(() => registry.stop());

  it.each(Object.entries(gaps))('finds that it %s', (_gap, rows) => {
    expect(rows.map((row) => outcomesOf(ledger, row))).toEqual(rows.map(() => ['fail']));
  });

  it('takes what it declines for a skip', () => {
    expect(declined.map((row) => outcomesOf(ledger, row))).toEqual(declined.map(() => ['skip']));
  });

  it.each(core)('finds nothing wrong: %s, %s, %s', (...row) => {
    expect(outcomesOf(ledger, row)).toEqual(['pass']);
  });

  it('gives every complaint a clause and a reason', () => {
    expect(ledger.filter((assertion) => assertion.outcome !== 'pass' && !isExplained(assertion))).toEqual([]);
  });
});

describe('the foreign registry', () => {
  it('is installed', (context) => {
    if (!hasForeignRegistry() && process.env['CI'] !== 'true') {
      context.skip(`${foreignRegistryPath} is missing: install Debian's docker-registry to prove the port on it`);
    }
    expect(hasForeignRegistry()).toBe(true);
  });
});

/** The different outcomes of the assertions of that name, of which there may be several in a group. */
function outcomesOf(ledger: Ledger, [suite, group, name]: Row): readonly Outcome[] {
  const found = ledger.filter((one) => one.suite === suite && one.group === group && one.name === name);
  return [...new Set(found.map((assertion) => assertion.outcome))];
}

function isExplained({ clause, detail }: Assertion): boolean {
  return clause !== '' && detail !== undefined && detail !== '';
}
