import { ObjectMissing, type ObjectKey, type WriteFrom } from '@entrepot/content';
import { ObjectParts, type PartsPlace } from './object-parts.js';
import { PartsReplaced } from './part-series.js';
import { decodeResume, resumedBytes, type ResumeState } from './resume-state.js';
import type { S3Bucket } from './s3-bucket.js';
import { isMissing } from './s3-failure.js';
import type { StoredRest, WriterStart } from './s3-object-writer.js';
import { UploadWindow } from './upload-window.js';

/** What a writer of this store noted. Throws `ObjectMissing` for anything else. */
export function readState(key: ObjectKey, { offsetBytes, resume }: WriteFrom): ResumeState {
  if (offsetBytes === 0) return {};
  const state = decodeResume(resume ?? '');
  if (state === undefined || resumedBytes(state) !== offsetBytes) throw new ObjectMissing(key);
  return state;
}

/**
 * Finds what a writer goes on with. A writer that ended in order has nothing on its way, and the next one adds to its parts.
 * Those of one that was abandoned are sealed instead: made an object, to which late requests can add nothing and of which
 * the store copies what is needed into parts of the next writer's own. Rejects with `ObjectMissing`.
 */
export async function continueUpload(place: PartsPlace, from: WriteFrom, resume: ResumeState): Promise<WriterStart> {
  const window = new UploadWindow(place.windowSize);
  const rest = await findRest(place, resume);
  const parts = new ObjectParts(place, window);
  try {
    await parts.resume(resume);
    if (from.wasAbandoned !== true) return { from, window, parts, ...(rest && { rest }) };
  } catch (error) {
    // A former writer may have made an object of them; or they are lost.
    if (!isMissing(error) && !(error instanceof PartsReplaced)) throw error;
  }
  await parts.seal();
  return { from, window, parts: new ObjectParts(place, window), ...(await findFormer(place, { from, resume, rest })) };
}

/** Objects that were made of the parts, by this writer or by a former one that went on to its end. */
async function findFormer(
  { bucket, key }: PartsPlace,
  { from, resume, rest }: { from: WriteFrom; resume: ResumeState; rest: StoredRest | undefined },
): Promise<Pick<WriterStart, 'former' | 'rest'>> {
  const { parts, pieces } = resume;
  if (parts === undefined) return rest ? { rest } : {};
  const name = `${key.objectPrefix}${parts.nonce}`;
  const foundBytes = await sizeOf(bucket, name);
  if (foundBytes >= from.offsetBytes) {
    const isWhole = foundBytes === from.offsetBytes && from.wasAbandoned !== true;
    const sources = [{ name, sizeBytes: from.offsetBytes }];
    return { former: { sources, ...(isWhole && { wholeNonce: parts.nonce }) } };
  }
  const sources = [{ name, sizeBytes: parts.sizeBytes }];
  if (pieces) sources.push({ name: `${key.piecePrefix}${pieces.nonce}`, sizeBytes: pieces.sizeBytes });
  for (const source of sources) {
    if ((await sizeOf(bucket, source.name)) < source.sizeBytes) throw new ObjectMissing(key.uploadKey);
  }
  return { former: { sources }, ...(rest && { rest }) };
}

/** Zero where there is no such object. */
async function sizeOf(bucket: S3Bucket, name: string): Promise<number> {
  try {
    return (await bucket.head(name)).sizeBytes;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function findRest({ bucket, key }: PartsPlace, { parts, rest }: ResumeState): Promise<StoredRest | undefined> {
  if (rest === undefined) return undefined;
  const isAlone = parts === undefined;
  const name = `${isAlone ? key.objectPrefix : key.piecePrefix}${rest.nonce}`;
  if (isAlone && (await sizeOf(bucket, name)) !== rest.sizeBytes) throw new ObjectMissing(key.uploadKey);
  return { ...rest, name, isAlone };
}
