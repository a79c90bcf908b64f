import { randomBytes } from 'node:crypto';
import { digestOf } from '../data/digest.js';
import type { Algorithm } from '../data/digest.js';
import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { expectReply, requireLocation } from '../wire/expect.js';
import { target } from '../wire/target.js';
import { examineBlobGet, examineBlobHead, examineBlobRemoval } from './blobs.js';
import { examineRanges } from './blob-ranges.js';
import { examine, subsection } from './trial.js';
import type { Section, Trial } from './trial.js';
import { examineUpload, pushBlob } from './upload-choice.js';
import type { UploadWay } from './upload-history.js';
import { cancelUpload, chunkMinimumBytes, mountBlob, openUpload } from './uploads.js';
import type { ChunkPlan, Upload } from './uploads.js';

/** One row of the table of pushes: what it is called and how the blob gets into the repository. */
interface BlobCase {
  readonly name: string;
  /** Large enough for three chunks. */
  readonly isLarge?: boolean;
  /** The blob is pushed to the other repository first, and removed from it afterwards. */
  readonly startsElsewhere?: boolean;
  /** Nothing is stored, so there is nothing to read back. */
  readonly storesNothing?: boolean;
  readonly push: (section: Section, upload: Upload) => Promise<boolean>;
}

const blobCases: readonly BlobCase[] = [
  { name: 'post only', push: by('blob-post-only') },
  { name: 'post+put', push: by('blob-post-put') },
  { name: 'chunked single', push: by('blob-patch-chunked') },
  { name: 'stream', push: by('blob-patch-stream') },
  { name: 'mount', startsElsewhere: true, push: mountFromOther },
  { name: 'mount anonymous', startsElsewhere: true, push: mountFromAnywhere },
  { name: 'mount missing', push: mountWhatIsMissing },
  { name: 'post cancel', storesNothing: true, push: postAndCancel },
  { name: 'chunked multi', isLarge: true, push: by('blob-patch-chunked') },
  { name: 'chunked multi and put chunk', isLarge: true, push: by('blob-patch-chunked', { endsWithPut: true }) },
  { name: 'chunked out-of-order', isLarge: true, push: by('blob-patch-chunked', { offersWrongChunks: true }) },
  {
    name: 'chunked out-of-order and put chunk',
    isLarge: true,
    push: by('blob-patch-chunked', { endsWithPut: true, offersWrongChunks: true }),
  },
];

const corruptCases: readonly Pick<BlobCase, 'name' | 'push'>[] = [
  { name: 'bad digest post only', push: by('blob-post-only') },
  { name: 'bad digest post+put', push: by('blob-post-put') },
  { name: 'bad digest chunked', push: by('blob-patch-chunked') },
  { name: 'bad digest chunked and put chunk', push: by('blob-patch-chunked', { endsWithPut: true }) },
  { name: 'bad digest stream', push: by('blob-patch-stream') },
];

/** Contents that every registry meets, and that other repositories tend to hold already. */
const wellKnownBlobs = { empty: Buffer.alloc(0), emptyJSON: Buffer.from('{}') } as const;

const smallBlobBytes = 512;
const smallestChunkBytes = 1024;

/** Everything about blobs with digests of one algorithm. */
export async function runBlobSuite(trial: Trial, algorithm: Algorithm): Promise<void> {
  const section = { trial, group: `${algorithm} blobs` };
  await examineMissing(section, algorithm);
  const chunkBytes = Math.max(smallestChunkBytes, await minimumOf(trial));
  // Three chunks, the last one a little short.
  const largeBlobBytes = 3 * chunkBytes - 5;
  for (const blobCase of blobCases) {
    if (blobCase.storesNothing === true && !trial.features.uploadCancel) continue;
    const bytes = randomBytes(blobCase.isLarge === true ? largeBlobBytes : smallBlobBytes);
    await runBlobCase(subsection(section, blobCase.name), blobCase, uploadOf(trial, bytes, algorithm));
  }
  await examineRanges(subsection(section, 'range requests'), algorithm);
  for (const [name, bytes] of Object.entries(wellKnownBlobs)) {
    await runWellKnownBlob(subsection(section, name), uploadOf(trial, bytes, algorithm));
  }
  for (const { name, push } of corruptCases) {
    const upload = uploadOf(trial, randomBytes(largeBlobBytes), algorithm);
    const bytes = Buffer.concat([upload.bytes, Buffer.from('spoilt')]);
    await push(subsection(section, name), { ...upload, bytes, isCorrupt: true });
  }
}

function uploadOf(trial: Trial, bytes: Buffer, algorithm: Algorithm): Upload {
  return { repository: trial.repository, digest: digestOf(bytes, algorithm), bytes };
}

async function examineMissing(section: Section, algorithm: Algorithm): Promise<void> {
  const { client, registry, repository } = section.trial;
  const url = target(registry, repository, `blobs/${digestOf(randomBytes(smallBlobBytes), algorithm)}`);
  await examine(subsection(section, 'get-missing'), 'blob-get-missing', async () => {
    expectReply(await client.send({ method: 'GET', url }), { status: [404] });
  });
}

/** What the registry asks of chunks; 0 when it asks nothing or cannot be asked (then the cases themselves will tell). */
async function minimumOf(trial: Trial): Promise<number> {
  try {
    const opened = await openUpload(trial, trial.repository);
    if (trial.features.uploadCancel) await trial.client.send({ method: 'DELETE', url: requireLocation(opened) });
    return chunkMinimumBytes(opened);
  } catch {
    return 0;
  }
}

async function runBlobCase(section: Section, blobCase: BlobCase, upload: Upload): Promise<void> {
  const { trial } = section;
  if (blobCase.startsElsewhere === true) await pushBlob(section, { ...upload, repository: trial.otherRepository });
  const isPushed = await blobCase.push(section, upload);
  if (isPushed && blobCase.storesNothing !== true) {
    await examineBlobHead(section, upload);
    await examineBlobGet(section, upload);
  }
  await examineBlobRemoval(section, trial.repository, upload.digest);
  if (blobCase.startsElsewhere === true) {
    await examineBlobRemoval(section, trial.otherRepository, upload.digest);
  }
}

async function runWellKnownBlob(section: Section, upload: Upload): Promise<void> {
  await pushBlob(section, upload);
  await examineBlobHead(section, upload);
  await examineBlobGet(section, upload);
  await examineBlobRemoval(section, upload.repository, upload.digest);
}

function by(way: UploadWay, plan?: ChunkPlan): BlobCase['push'] {
  return (section, upload) => examineUpload(section, way, upload, plan);
}

function mountFromOther(section: Section, upload: Upload): Promise<boolean> {
  const { trial } = section;
  return examine(section, 'blob-mount', () => mountBlob(trial, upload, trial.otherRepository));
}

function mountFromAnywhere(section: Section, upload: Upload): Promise<boolean> {
  return examine(section, 'blob-mount-anonymous', () => mountBlob(section.trial, upload));
}

/** A blob that the other repository does not have cannot be mounted: the registry must open an upload instead. */
function mountWhatIsMissing(section: Section, upload: Upload): Promise<boolean> {
  const { trial } = section;
  return examine(section, 'blob-mount', async () => {
    try {
      await mountBlob(trial, upload, trial.otherRepository);
    } catch (error) {
      if (error instanceof Unsupported) return;
      throw error;
    }
    throw new Mismatch('a blob was mounted that its repository does not have');
  });
}

function postAndCancel(section: Section, upload: Upload): Promise<boolean> {
  return examine(section, 'blob-post-cancel', () => cancelUpload(section.trial, upload.repository));
}
