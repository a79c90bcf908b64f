import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { expectReply } from '../wire/expect.js';
import { listTags, readBlob, readManifest, remove } from './bench.js';
import type { Chapter, Step } from './bench.js';
import { expectErrorCode } from './error-codes.js';
import { populateBlob, populateManifest } from './steps.js';

const tag = 'tagtest0';

const setup: readonly Step[] = [
  populateBlob('Populate registry with test config blob', ({ configs }) => configs.absent),
  populateBlob('Populate registry with test layer', ({ layer }) => layer),
  populateManifest('Populate registry with test tag', ({ manifests }) => ({
    reference: tag,
    manifest: manifests.absent,
  })),
  {
    title: 'Check how many tags there are before anything gets deleted',
    clause: 'end-8a',
    async run(bench) {
      bench.memory.tagCount = (await listTags(bench)).length;
    },
  },
];

const manifestDelete: readonly Step[] = [
  {
    title: 'DELETE request to manifest tag should return 202, unless tag deletion is disallowed (400/405)',
    clause: 'end-9, Deleting tags',
    async run(bench) {
      const reply = await remove(bench, `manifests/${tag}`);
      expectReply(reply, { status: [202, 400, 405] });
      if (reply.status === 400) expectErrorCode(reply, new Set(['UNSUPPORTED']));
    },
  },
  {
    title: 'DELETE request to manifest (digest) should yield 202 response unless already deleted',
    clause: 'end-9',
    async run(bench) {
      const reply = await remove(bench, `manifests/${bench.fixtures.manifests.absent.digest}`);
      expectReply(reply, { status: [202, 404] });
    },
  },
  {
    title: 'GET request to deleted manifest URL should yield 404 response, unless delete is disallowed',
    clause: 'end-9 and end-3',
    async run(bench) {
      const reply = await readManifest(bench, 'GET', bench.fixtures.manifests.absent.digest);
      expectReply(reply, { status: [404, 200] });
    },
  },
  {
    title: 'GET request to tags list should reflect manifest deletion',
    clause: 'end-9 and end-8a',
    async run(bench) {
      const before = bench.memory.tagCount ?? 0;
      const { length } = await listTags(bench);
      if (length >= before) throw new Mismatch(`${length} tags are left of ${before}`);
    },
  },
];

const blobDelete: readonly Step[] = [
  {
    title: 'DELETE request to blob URL should yield 202 response',
    clause: 'end-10',
    async run(bench) {
      const { configs, layer } = bench.fixtures;
      for (const blob of [configs.absent, layer]) {
        const reply = await remove(bench, `blobs/${blob.digest}`);
        expectReply(reply, { status: [202, 404, 405] });
        bench.memory.deletesBlobs = reply.status !== 405;
      }
    },
  },
  {
    title: 'GET request to deleted blob URL should yield 404 response',
    clause: 'end-10 and end-2',
    async run(bench) {
      if (bench.memory.deletesBlobs === false) throw new Unsupported('the registry does not delete blobs');
      expectReply(await readBlob(bench, 'GET', bench.fixtures.configs.absent.digest), { status: [404] });
    },
  },
];

/** Category "Content Management". */
export const managementChapters: readonly Chapter[] = [
  { group: 'Content Management/Setup', steps: setup },
  { group: 'Content Management/Manifest delete', steps: manifestDelete },
  { group: 'Content Management/Blob delete', steps: blobDelete },
];
