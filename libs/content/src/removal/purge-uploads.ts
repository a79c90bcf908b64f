import { withRest } from '../pace/with-rest.js';
import type { AbandonedUpload, Purge } from '../ports/purge.js';

const BATCH = 100;
const FORGET_BATCH = 10_000;

/**
 * How long it is known that an upload was finished, and by which digest: a balancer or a client that sends the same PUT
 * again does so within moments of the first one's end, or after the `Retry-After` of a 503.
 */
const FINISHED_KEPT_MS = 3_600_000;

export interface UploadPurge {
  readonly purge: Purge;
  /** How long an upload may be without a request. */
  readonly ttlMs: number;
  /** Say what would be ended, and change nothing. */
  readonly isDry: boolean;
  readonly signal: AbortSignal;
  /** Told of each upload, in words. */
  log(line: string): void;
  /** Told after each page, and at the end, how many uploads there were so far. */
  note(uploads: number): Promise<void>;
}

export interface UploadPurgeReport {
  readonly uploadsEnded: number;
  readonly bytesEnded: number;
  /** Ends of uploads that are not remembered any more. */
  readonly endsForgotten: number;
}

/**
 * Ends uploads that had no request for `ttlMs` and that no request has leased, until there is none or `signal` aborts: rows
 * only, all that lies in the store under their keys is doomed, parts and pieces too. Forgets ends of uploads that are an
 * hour old.
 */
export async function purgeUploads(room: UploadPurge): Promise<UploadPurgeReport> {
  const { isDry, log, note } = room;
  let [uploadsEnded, bytesEnded] = [0, 0];
  for await (const page of abandonedUploads(room)) {
    for (const { uploadId, repositoryName, sizeBytes, touchedAt } of page) {
      bytesEnded += sizeBytes;
      const said = isDry ? 'would end' : 'ended';
      log(`${said} ${uploadId} to ${repositoryName}: ${sizeBytes} bytes, last request ${touchedAt.toISOString()}`);
    }
    uploadsEnded += page.length;
    await note(uploadsEnded);
  }
  return { uploadsEnded, bytesEnded, endsForgotten: isDry ? 0 : await forgetEnds(room) };
}

async function forgetEnds({ purge, signal }: UploadPurge): Promise<number> {
  let all = 0;
  for (let forgotten = FORGET_BATCH; forgotten === FORGET_BATCH && !signal.aborted; all += forgotten) {
    forgotten = await purge.forgetFinishedUploads(FINISHED_KEPT_MS, FORGET_BATCH);
  }
  return all;
}

async function* abandonedUploads({ purge, ttlMs, isDry, signal }: UploadPurge): AsyncGenerator<AbandonedUpload[]> {
  let page: AbandonedUpload[] = [];
  do {
    const after = page.at(-1)?.uploadId;
    page = isDry
      ? await purge.abandonedUploads(ttlMs, { limit: BATCH, ...(after !== undefined && { after }) })
      : await withRest(() => purge.doomAbandonedUploads(ttlMs, BATCH), signal);
    yield page;
  } while (page.length === BATCH && !signal.aborted);
}
