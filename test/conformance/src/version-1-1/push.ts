import { expectReply } from '../wire/expect.js';
import { withQuery } from '../wire/target.js';
import {
  endpoint,
  expectSuccess,
  lastReplyOf,
  octets,
  openSession,
  readBlob,
  remove,
  sessionOf,
  uploadBlob,
  uploadManifest,
} from './bench.js';
import type { Chapter, Step } from './bench.js';
import { chunkSteps } from './push-chunks.js';
import { mountSteps } from './push-mounts.js';
import { absentBlob, absentManifest, presentBlob, presentManifest, teardownBlob } from './steps.js';

const created = { status: [201], headers: { Location: null } } as const;

const streamed: readonly Step[] = [
  {
    title: 'PATCH request with blob in body should yield 202 response',
    clause: 'end-5',
    async run(bench) {
      const url = sessionOf(bench, await openSession(bench));
      const body = bench.fixtures.streamedBlob.bytes;
      const reply = await bench.client.send({ method: 'PATCH', url, headers: octets, body });
      expectReply(reply, { status: [202] });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'PUT request to session URL with digest should yield 201 response',
    clause: 'end-6',
    async run(bench) {
      const { digest } = bench.fixtures.streamedBlob;
      const url = withQuery(sessionOf(bench, lastReplyOf(bench)), { digest });
      expectReply(await bench.client.send({ method: 'PUT', url, headers: octets }), created);
    },
  },
];

const monolithic: readonly Step[] = [
  absentBlob('GET nonexistent blob should result in 404 response', 'GET'),
  {
    title: 'POST request with digest and blob should yield a 201 or 202',
    clause: 'end-4b',
    async run(bench) {
      const { digest, bytes } = bench.fixtures.configs.push;
      const url = withQuery(endpoint(bench, 'blobs/uploads/'), { digest });
      const reply = await bench.client.send({ method: 'POST', url, headers: octets, body: bytes });
      expectReply(reply, { status: [201, 202], headers: { Location: null } });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'GET request to blob URL from prior request should yield 200 or 404 based on response code',
    clause: 'end-4b and end-2',
    async run(bench) {
      const wasStored = lastReplyOf(bench).status === 201;
      const reply = await readBlob(bench, 'GET', bench.fixtures.configs.push.digest);
      expectReply(reply, { status: [wasStored ? 200 : 404] });
    },
  },
  {
    title: 'POST request should yield a session ID',
    clause: 'end-4a',
    async run(bench) {
      const reply = await openSession(bench);
      expectReply(reply, { status: [202] });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'PUT upload of a blob should yield a 201 Response',
    clause: 'end-6',
    async run(bench) {
      const { digest, bytes } = bench.fixtures.configs.push;
      const url = withQuery(sessionOf(bench, lastReplyOf(bench)), { digest });
      expectReply(await bench.client.send({ method: 'PUT', url, headers: octets, body: bytes }), created);
    },
  },
  presentBlob('GET request to existing blob should yield 200 response', 'GET', ({ configs }) => configs.push),
  {
    title: 'PUT upload of a layer blob should yield a 201 Response',
    clause: 'end-4a and end-6',
    run: async (bench) => expectReply(await uploadBlob(bench, bench.fixtures.layer), created),
  },
  presentBlob('GET request to existing layer should yield 200 response', 'GET', ({ layer }) => layer),
];

const tags = ['test0', 'test1', 'test2', 'test3'] as const;
const layerlessTag = 'emptylayer';

const manifests: readonly Step[] = [
  absentManifest('GET nonexistent manifest should return 404', 'GET'),
  {
    title: 'PUT should accept a manifest upload',
    clause: 'end-7a',
    async run(bench) {
      for (const tag of tags) {
        expectReply(await uploadManifest(bench, tag, bench.fixtures.manifests.push), created);
      }
    },
  },
  {
    title: 'Registry should accept a manifest upload with no layers',
    clause: 'end-7a',
    async run(bench) {
      const reply = await uploadManifest(bench, layerlessTag, bench.fixtures.layerlessManifest);
      // A registry may refuse it; only one that accepts it has to say where it is.
      bench.memory.hasLayerlessManifest = reply.status === 201;
      if (reply.status === 201) expectReply(reply, created);
    },
  },
  presentManifest('GET request to manifest URL (digest) should yield 200 response', 'GET', (fixtures) => ({
    reference: fixtures.manifests.push.digest,
    digest: fixtures.manifests.push.digest,
  })),
];

const teardown: readonly Step[] = [
  {
    title: 'Delete manifest created in tests',
    clause: 'end-9',
    async run(bench) {
      const { fixtures, memory } = bench;
      expectSuccess(await remove(bench, `manifests/${fixtures.manifests.push.digest}`), [405]);
      if (memory.hasLayerlessManifest !== true) return;
      expectSuccess(await remove(bench, `manifests/${fixtures.layerlessManifest.digest}`), [405]);
    },
  },
  teardownBlob('Delete config blob created in tests', ({ configs }) => configs.push),
  teardownBlob('Delete layer blob created in setup', ({ layer }) => layer),
];

/** Category "Push". */
export const pushChapters: readonly Chapter[] = [
  { group: 'Push/Blob Upload Streamed', steps: streamed },
  { group: 'Push/Blob Upload Monolithic', steps: monolithic },
  { group: 'Push/Blob Upload Chunked', steps: chunkSteps },
  { group: 'Push/Cross-Repository Blob Mount', steps: mountSteps },
  { group: 'Push/Manifest Upload', steps: manifests },
  { group: 'Push/Teardown', steps: teardown },
];
