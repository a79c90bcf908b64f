import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { expectReply, requireLocation } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';
import type { Query } from '../wire/target.js';
import { lastReplyOf, sessionOf } from './bench.js';
import type { Bench, Step } from './bench.js';
import { absentDigest } from './fixtures.js';

/** Context "Cross-Repository Blob Mount"; the blob was streamed into the bench's repository before. */
export const mountSteps: readonly Step[] = [
  {
    title: 'Cross-mounting of a blob without the from argument should yield session id',
    clause: 'end-11',
    async run(bench) {
      const reply = await mount(bench, { mount: absentDigest });
      expectReply(reply, { status: [202], headers: { Location: null } });
    },
  },
  {
    title: "POST request to mount another repository's blob should return 201 or 202",
    clause: 'end-11',
    async run(bench) {
      const reply = await mount(bench, { mount: bench.fixtures.streamedBlob.digest, from: bench.repository });
      expectReply(reply, { status: [201, 202] });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'GET request to test digest within cross-mount namespace should return 200',
    clause: 'end-11 and end-2',
    async run(bench) {
      const reply = onlyAfter(bench, 201);
      const { digest } = bench.fixtures.streamedBlob;
      const { pathname, search } = requireLocation(reply);
      const expected = `/v2/${bench.mountRepository}/blobs/${digest}`;
      // Exactly this path and no query: the suite compares the text.
      if (`${pathname}${search}` !== expected) throw new Mismatch(`the mounted blob is at ${pathname}${search}`);
      const url = sessionOf(bench, reply);
      expectReply(await bench.client.send({ method: 'GET', url }), { status: [200] });
    },
  },
  {
    title: 'Cross-mounting of nonexistent blob should yield session id',
    clause: 'end-11',
    async run(bench) {
      const { pathname } = requireLocation(onlyAfter(bench, 202));
      const expected = `/v2/${bench.mountRepository}/blobs/uploads/`;
      if (!pathname.startsWith(expected)) throw new Mismatch(`the session is at ${pathname}, not below ${expected}`);
    },
  },
  {
    title: 'Cross-mounting without from, and automatic content discovery enabled should return a 201',
    clause: 'end-11',
    run: (bench) => expectAutomaticMount(bench, true),
  },
  {
    title: 'Cross-mounting without from, and automatic content discovery disabled should return a 202',
    clause: 'end-11',
    run: (bench) => expectAutomaticMount(bench, false),
  },
];

function mount(bench: Bench, query: Query): Promise<WireReply> {
  const uploads = target(bench.registry, bench.mountRepository, 'blobs/uploads/');
  return bench.client.send({ method: 'POST', url: withQuery(uploads, query) });
}

/** The reply to the named mount if it had this status; otherwise the step has nothing to look at. */
function onlyAfter(bench: Bench, status: 201 | 202): WireReply {
  const reply = lastReplyOf(bench);
  if (reply.status !== status) throw new Unsupported(`the mount was answered with ${reply.status}`);
  return reply;
}

async function expectAutomaticMount(bench: Bench, isEnabled: boolean): Promise<void> {
  onlyAfter(bench, 201);
  if (bench.mountsAutomatically !== isEnabled) {
    throw new Unsupported(`automatic mounts are expected to be ${bench.mountsAutomatically ? 'on' : 'off'}`);
  }
  const reply = await mount(bench, { mount: bench.fixtures.streamedBlob.digest });
  expectReply(reply, { status: [isEnabled ? 201 : 202] });
}
