import { randomBytes } from 'node:crypto';
import { Mismatch } from '../ledger/outcome.js';
import { expectReply, headerOf, requireLocation } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';
import { withQuery } from '../wire/target.js';
import { lastReplyOf, octets, openSession, sessionOf } from './bench.js';
import type { Bench, Step } from './bench.js';
import { contentOf } from './fixtures.js';
import type { Content } from './fixtures.js';

const smallBlobBytes = 42;

/** Context "Blob Upload Chunked": a blob in two chunks, with everything sent wrong on the way. */
export const chunkSteps: readonly Step[] = [
  {
    title: 'Out-of-order blob upload should return 416',
    clause: 'end-5',
    async run(bench) {
      const opened = await openSession(bench);
      requireLocation(opened);
      bench.memory.chunks = cut(Number(headerOf(opened, 'OCI-Chunk-Min-Length') ?? '0'));
      expectReply(await patchChunk(bench, sessionOf(bench, opened), 1), { status: [416] });
    },
  },
  {
    title: 'PATCH request with first chunk should return 202',
    clause: 'end-5',
    async run(bench) {
      const session = sessionOf(bench, await openSession(bench));
      bench.memory.staleSession = session;
      const reply = await patchChunk(bench, session, 0);
      expectReply(reply, { status: [202], headers: { Range: rangeOf(bench, 0) } });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'Retry previous blob chunk should return 416',
    clause: 'end-5',
    run: async (bench) => expectReply(await patchChunk(bench, staleSessionOf(bench), 0), { status: [416] }),
  },
  {
    title: 'Get on stale blob upload should return 204 with a range and location',
    clause: 'end-13',
    async run(bench) {
      const reply = await bench.client.send({ method: 'GET', url: staleSessionOf(bench) });
      expectReply(reply, { status: [204], headers: { Location: null, Range: rangeOf(bench, 0) } });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'PATCH request with second chunk should return 202',
    clause: 'end-5',
    async run(bench) {
      const reply = await patchChunk(bench, sessionOf(bench, lastReplyOf(bench)), 1);
      expectReply(reply, { status: [202], headers: { Location: null } });
      bench.memory.lastReply = reply;
    },
  },
  {
    title: 'PUT request with digest should return 201',
    clause: 'end-6',
    async run(bench) {
      const { digest } = contentOf(Buffer.concat(chunksOf(bench).map((chunk) => chunk.bytes)));
      const url = withQuery(sessionOf(bench, lastReplyOf(bench)), { digest });
      const reply = await bench.client.send({ method: 'PUT', url, headers: octets });
      expectReply(reply, { status: [201], headers: { Location: null } });
    },
  },
];

/** Random bytes in two chunks, the first as large as the registry asks and a little larger than the second. */
function cut(minimumBytes: number): readonly [Content, Content] {
  const total = Math.max(smallBlobBytes, minimumBytes * 2 - 2);
  const bytes = randomBytes(total);
  const middle = Math.floor(total / 2) + 1;
  return [contentOf(bytes.subarray(0, middle)), contentOf(bytes.subarray(middle))];
}

function chunksOf(bench: Bench): readonly [Content, Content] {
  const { chunks } = bench.memory;
  if (chunks === undefined) throw new Mismatch('no session could be opened to learn the size of chunks');
  return chunks;
}

function staleSessionOf(bench: Bench): URL {
  const { staleSession } = bench.memory;
  if (staleSession === undefined) throw new Mismatch('the step before opened no session');
  return staleSession;
}

function rangeOf(bench: Bench, which: 0 | 1): string {
  const [first, second] = chunksOf(bench).map((chunk) => chunk.bytes.length);
  return which === 0 ? `0-${Number(first) - 1}` : `${first}-${Number(first) + Number(second) - 1}`;
}

function patchChunk(bench: Bench, url: URL, which: 0 | 1): Promise<WireReply> {
  const headers = { ...octets, 'Content-Range': rangeOf(bench, which) };
  return bench.client.send({ method: 'PATCH', url, headers, body: chunksOf(bench)[which].bytes });
}
