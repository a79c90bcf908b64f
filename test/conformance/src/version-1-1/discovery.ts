import { mediaTypes } from '../data/media-types.js';
import { Mismatch } from '../ledger/outcome.js';
import { describe, expectReply, headerOf, readJson } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { withQuery } from '../wire/target.js';
import type { Query } from '../wire/target.js';
import { endpoint, expectSuccess, listTags, remove, uploadBlob, uploadManifest } from './bench.js';
import type { Bench, Chapter, Step } from './bench.js';
import { absentDigest, annotationName, artifactTypes } from './fixtures.js';
import type { ReferrerName } from './fixtures.js';
import { populateBlob, removeBlob, teardownBlob } from './steps.js';

const tags = ['test0', 'test1', 'test2', 'test3'] as const;
const subjectTag = 'tagtest0';

const setup: readonly Step[] = [
  populateBlob('Populate registry with test blob', ({ configs }) => configs.discovery),
  populateBlob('Populate registry with test layer', ({ layer }) => layer),
  {
    title: 'Populate registry with test tags',
    clause: 'end-7a',
    async run(bench) {
      for (const tag of tags) expectSuccess(await uploadManifest(bench, tag, bench.fixtures.manifests.discovery));
      await listTags(bench);
    },
  },
  {
    title: 'References setup',
    clause: 'Pushing Manifests with Subject',
    async run(bench) {
      const { emptyJson, artifactBlobs, configs, layer, manifests } = bench.fixtures;
      for (const blob of [emptyJson, artifactBlobs.a]) expectSuccess(await uploadBlob(bench, blob));
      // These come before their subject, the next ones after it, and the last one has a subject that never comes.
      await pushReferrers(bench, ['configA', 'layerA', 'index']);
      for (const blob of [configs.subject, layer]) expectSuccess(await uploadBlob(bench, blob));
      expectSuccess(await uploadManifest(bench, subjectTag, manifests.subject));
      expectSuccess(await uploadBlob(bench, artifactBlobs.b));
      await pushReferrers(bench, ['configB', 'layerB', 'ofAbsent']);
    },
  },
];

async function pushReferrers(bench: Bench, names: readonly ReferrerName[]): Promise<void> {
  for (const name of names) {
    const referrer = bench.fixtures.referrers[name];
    const reply = await uploadManifest(bench, referrer.digest, referrer);
    expectSuccess(reply);
    const subject = headerOf(reply, 'OCI-Subject');
    if (subject !== referrer.subject) throw new Mismatch(`${describe(reply)}: OCI-Subject is ${subject}`);
  }
}

const listingTags: readonly Step[] = [
  {
    title: 'GET request to list tags should yield 200 response',
    clause: 'end-8a',
    async run(bench) {
      bench.memory.tagCount = (await listTags(bench)).length;
    },
  },
  {
    title: 'GET number of tags should be limitable by `n` query parameter',
    clause: 'end-8b',
    async run(bench) {
      const half = halfOfTags(bench);
      const { length } = await listTags(bench, { n: String(half) });
      if (length !== half) throw new Mismatch(`n=${half} returned ${length} tags`);
    },
  },
  {
    title: 'GET start of tag is set by `last` query parameter',
    clause: 'end-8b',
    async run(bench) {
      const half = halfOfTags(bench);
      const last = (await listTags(bench, { n: String(half) }))[half - 1];
      if (last === undefined) throw new Mismatch(`n=${half} returned fewer tags`);
      const next = await listTags(bench, { n: String(half), last });
      if (next.length > half || next.includes(last)) throw new Mismatch(`after ${last} came ${next.join(', ')}`);
    },
  },
];

function halfOfTags(bench: Bench): number {
  return Math.floor((bench.memory.tagCount ?? tags.length) / 2);
}

type Listed = Readonly<Record<string, unknown>>;

async function listReferrers(bench: Bench, digest: string, query: Query = {}): Promise<[readonly Listed[], WireReply]> {
  const url = withQuery(endpoint(bench, `referrers/${digest}`), query);
  const reply = await bench.client.send({ method: 'GET', url });
  expectReply(reply, { status: [200], headers: { 'Content-Type': mediaTypes.index } });
  const { manifests } = readJson(reply);
  return [Array.isArray(manifests) ? manifests : [], reply];
}

const listingReferrers: readonly Step[] = [
  {
    title: 'GET request to nonexistent blob should result in empty 200 response',
    clause: 'end-12a',
    async run(bench) {
      expectReferrers(bench, await listReferrers(bench, absentDigest), []);
    },
  },
  {
    title: 'GET request to existing blob should yield 200',
    clause: 'end-12a',
    async run(bench) {
      const listed = await listReferrers(bench, bench.fixtures.manifests.subject.digest);
      expectReferrers(bench, listed, ['configA', 'layerA', 'configB', 'layerB', 'index']);
    },
  },
  {
    title: 'GET request to existing blob with filter should yield 200',
    clause: 'end-12b',
    async run(bench) {
      const subject = bench.fixtures.manifests.subject.digest;
      const listed = await listReferrers(bench, subject, { artifactType: artifactTypes.a });
      const filters = headerOf(listed[1], 'OCI-Filters-Applied');
      // A registry may leave the filtering to the client, and must then say so by leaving out the header.
      if (filters === undefined) {
        return expectReferrers(bench, listed, ['configA', 'layerA', 'configB', 'layerB', 'index']);
      }
      if (filters !== 'artifactType') throw new Mismatch(`OCI-Filters-Applied is ${filters}`);
      expectReferrers(bench, listed, ['configA', 'layerA']);
    },
  },
  {
    title: 'GET request to missing manifest should yield 200',
    clause: 'end-12a',
    async run(bench) {
      expectReferrers(bench, await listReferrers(bench, bench.fixtures.manifests.absent.digest), ['ofAbsent']);
    },
  },
];

/** Exactly these referrers are listed, each with its one annotation. */
function expectReferrers(bench: Bench, [listed, reply]: [readonly Listed[], WireReply], names: ReferrerName[]): void {
  const expected = names.map((name) => bench.fixtures.referrers[name]);
  const digests = new Set(listed.map((descriptor) => descriptor['digest']));
  const isSame = digests.size === listed.length && listed.length === expected.length;
  if (!isSame || expected.some(({ digest }) => !digests.has(digest))) {
    throw new Mismatch(`${describe(reply)}: ${listed.length} referrers in place of ${names.join(', ')}`);
  }
  for (const { digest, annotation } of expected) {
    const annotations = listed.find((descriptor) => descriptor['digest'] === digest)?.['annotations'];
    const received = Object.entries(annotations ?? {});
    const wanted = annotation === undefined ? [] : [[annotationName, annotation]];
    if (JSON.stringify(received) !== JSON.stringify(wanted)) {
      throw new Mismatch(`${describe(reply)}: the annotations of ${digest} are ${JSON.stringify(received)}`);
    }
  }
}

const teardown: readonly Step[] = [
  {
    title: 'Delete created manifest & associated tags',
    clause: 'end-9',
    async run(bench) {
      const { referrers, manifests } = bench.fixtures;
      const { index, ...others } = referrers;
      for (const manifest of [index, manifests.discovery, manifests.subject, ...Object.values(others)]) {
        expectSuccess(await remove(bench, `manifests/${manifest.digest}`), [404, 405]);
      }
    },
  },
  teardownBlob('Delete config blob created in tests', ({ configs }) => configs.discovery),
  teardownBlob('Delete layer blob created in setup', ({ layer }) => layer),
  {
    title: 'References teardown',
    clause: 'end-10',
    async run(bench) {
      const { configs, artifactBlobs, emptyJson } = bench.fixtures;
      for (const blob of [configs.subject, artifactBlobs.a, artifactBlobs.b, emptyJson]) await removeBlob(bench, blob);
    },
  },
];

/** Category "Content Discovery". */
export const discoveryChapters: readonly Chapter[] = [
  { group: 'Content Discovery/Setup', steps: setup },
  { group: 'Content Discovery/Listing tags', steps: listingTags },
  { group: 'Content Discovery/Listing references', steps: listingReferrers },
  { group: 'Content Discovery/Teardown', steps: teardown },
];
