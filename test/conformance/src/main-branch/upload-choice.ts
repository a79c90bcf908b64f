import { examine } from './trial.js';
import type { Section, Trial } from './trial.js';
import type { Experience, UploadWay } from './upload-history.js';
import { patchInChunks, patchStream, postOnly, postThenPut } from './uploads.js';
import type { ChunkPlan, Upload } from './uploads.js';

/** The four ways to push a blob, in the order in which they are preferred; each is an assertion of that name. */
const uploadWays = {
  'blob-post-put': postThenPut,
  'blob-post-only': postOnly,
  'blob-patch-stream': patchStream,
  'blob-patch-chunked': patchInChunks,
} as const satisfies Record<UploadWay, (trial: Trial, upload: Upload, plan?: ChunkPlan) => Promise<void>>;

/** Pushes the blob in one way, as one assertion. */
export async function examineUpload(
  section: Section,
  way: UploadWay,
  upload: Upload,
  plan: ChunkPlan = {},
): Promise<boolean> {
  const hasPassed = await examine(section, way, () => uploadWays[way](section.trial, upload, plan));
  const { uploads } = section.trial;
  const experience = uploads.get(way) ?? { algorithms: new Set(), hasPassed: false, hasFailed: false };
  experience.algorithms.add(algorithmOf(upload.digest));
  if (hasPassed) experience.hasPassed = true;
  else experience.hasFailed = true;
  uploads.set(way, experience);
  return hasPassed;
}

/** Pushes the blob in whichever way works, untried ones first; each attempt is an assertion. */
export async function pushBlob(section: Section, upload: Upload): Promise<boolean> {
  const { uploads } = section.trial;
  const rank = (way: UploadWay) => rankOf(uploads.get(way), algorithmOf(upload.digest));
  const ways = Object.keys(uploadWays) as UploadWay[];
  for (const way of ways.toSorted((one, other) => rank(one) - rank(other))) {
    if (await examineUpload(section, way, upload)) return true;
  }
  return false;
}

function rankOf(experience: Experience | undefined, algorithm: string): number {
  if (experience === undefined) return 0;
  if (!experience.algorithms.has(algorithm)) return 1;
  return experience.hasPassed && !experience.hasFailed ? 2 : 3;
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}
