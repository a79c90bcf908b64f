import { randomBytes } from 'node:crypto';
import { digestOf } from '../data/digest.js';
import type { Algorithm } from '../data/digest.js';
import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { describe, expectReply, headerOf } from '../wire/expect.js';
import { target } from '../wire/target.js';
import { examineBlobRemoval } from './blobs.js';
import { examine, subsection } from './trial.js';
import type { Section } from './trial.js';
import { pushBlob } from './upload-choice.js';
import type { Upload } from './uploads.js';

const blobBytes = 2048;

/** What is asked for, and the first and last byte that come back; without them the range cannot be satisfied (416). */
interface RangeCase {
  readonly range: string;
  readonly first?: number;
  readonly last?: number;
}

const rangeCases: readonly RangeCase[] = [
  { range: '500-1499', first: 500, last: 1499 },
  { range: '500-', first: 500, last: blobBytes - 1 },
  { range: '-500', first: blobBytes - 500, last: blobBytes - 1 },
  { range: '2000-5000', first: 2000, last: blobBytes - 1 },
  { range: '500-0' },
  { range: '5000-10000' },
];

/** Reads parts of a blob; a registry that returns all of it has no range requests, which is allowed and skips. */
export async function examineRanges(section: Section, algorithm: Algorithm): Promise<void> {
  const bytes = randomBytes(blobBytes);
  const { repository } = section.trial;
  const upload = { repository, digest: digestOf(bytes, algorithm), bytes };
  if (!(await pushBlob(section, upload))) {
    await examine(section, 'blob-get-range', () => Promise.reject(new Mismatch('there is no blob to read parts of')));
    return;
  }
  for (const rangeCase of rangeCases) {
    const part = subsection(section, `range ${rangeCase.range}`);
    await examine(part, 'blob-get-range', () => expectRange(section, upload, rangeCase));
  }
  await examineBlobRemoval(section, repository, upload.digest);
}

async function expectRange(section: Section, upload: Upload, rangeCase: RangeCase): Promise<void> {
  const { client, registry } = section.trial;
  const url = target(registry, upload.repository, `blobs/${upload.digest}`);
  const reply = await client.send({ method: 'GET', url, headers: { Range: `bytes=${rangeCase.range}` } });
  if (reply.status === 200) {
    expectReply(reply, { status: [200], headers: { 'Content-Length': String(blobBytes) }, body: upload.bytes });
    throw new Unsupported('the whole blob was returned');
  }
  const { first, last } = rangeCase;
  if (first === undefined || last === undefined) return expectReply(reply, { status: [416] });
  expectReply(reply, {
    status: [206],
    headers: { 'Content-Length': String(last - first + 1) },
    body: upload.bytes.subarray(first, last + 1),
  });
  const contentRange = headerOf(reply, 'Content-Range') ?? '';
  const part = `bytes ${first}-${last}`;
  if (contentRange !== `${part}/${blobBytes}` && contentRange !== `${part}/*`) {
    throw new Mismatch(`${describe(reply)}: Content-Range is "${contentRange}", expected "${part}/${blobBytes}"`);
  }
}
