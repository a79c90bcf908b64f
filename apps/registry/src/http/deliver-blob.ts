import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JoinedBlobStore, ObjectPlace } from '@entrepot/blob-store';
import {
  ObjectCorrupt,
  ObjectMissing,
  ObjectShort,
  StoreUnavailable,
  readVerified,
  type ExpectedBlob,
  type ObjectKey,
} from '@entrepot/content';
import { MEDIA_TYPES, type ByteRange } from '@entrepot/oci';

/** Why a blob that exists was not served, or not to its end. */
export type ReadFailure = 'missing' | 'short' | 'corrupt' | 'unavailable';

/** By which ways blobs leave. */
export interface Delivery {
  readonly store: JoinedBlobStore;
  /** Whole reads are verified wherever the object lies, not only where it comes over a network. */
  readonly verifiesAll: boolean;
  readonly linkExpirySeconds: number;
  /** The network rule: true where the client may be sent to the store itself. */
  mayFollowLinks(request: IncomingMessage): boolean;
  /** The location of the web server in front that serves the files; undefined where it is to get the bytes from us. */
  fileLocation(request: IncomingMessage): string | undefined;
  /** Counts and logs a read that failed by the store's fault. */
  noteFailure(failure: ReadFailure, blob: ExpectedBlob, error: unknown): void;
  /**
   * Looks at the object again, and puts the blob into quarantine where it is at fault; resolves when that is decided, or takes
   * its time. Never rejects.
   */
  suspect(failure: ReadFailure, blob: ExpectedBlob): Promise<void>;
}

type Headers = Readonly<Record<string, string | number>>;

/** A GET that is to be answered with bytes, at least one. */
export interface BlobAnswer {
  readonly blob: ExpectedBlob;
  /** The part that is asked for; undefined for all. */
  readonly range: ByteRange | undefined;
  /** Headers of whatever way it goes. */
  readonly headers: Headers;
  /** The key that the blob has now, by the primary: the one that was found may have been replaced. */
  readonly findKey?: () => Promise<ObjectKey | undefined>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Answers with the bytes of a blob, or with where they are: a link to the object store, or the path for the web server in
 * front. What the store cannot give is 503, or, once bytes were sent, a cut before the last one; never a 4xx, for the
 * request was right. Where the object itself is at fault, the blob is in quarantine by the time of the answer, and whoever
 * comes back is told to push it again.
 */
export async function deliverBlob(delivery: Delivery, exchange: Exchange, answer: BlobAnswer): Promise<void> {
  try {
    const place = delivery.store.placeOf(answer.blob.objectKey);
    const detour =
      (await linkTo(delivery, place, exchange, answer)) ?? (await fileAt(delivery, place, exchange, answer));
    if (detour) exchange.response.writeHead(detour.status, { ...detour.headers, 'Content-Length': 0 }).end();
    else await streamBlob(delivery, place, exchange, answer);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const replaced = failure === 'missing' ? await findReplaced(exchange, answer) : undefined;
    if (replaced) return deliverBlob(delivery, exchange, replaced);
    delivery.noteFailure(failure, answer.blob, error);
    await delivery.suspect(failure, answer.blob);
    throw failure === 'missing' ? new StoreUnavailable('the object of a blob is missing', { cause: error }) : error;
  }
}

/** A blob that was healed or moved since it was looked up has another object: nothing is wrong with it. */
async function findReplaced(
  { response }: Exchange,
  { findKey, ...answer }: BlobAnswer,
): Promise<BlobAnswer | undefined> {
  if (response.headersSent) return undefined;
  const objectKey = await findKey?.().catch(() => undefined);
  if (objectKey === undefined || objectKey === answer.blob.objectKey) return undefined;
  return { ...answer, blob: { ...answer.blob, objectKey } };
}

interface Detour {
  readonly status: number;
  readonly headers: Headers;
}

/** Type and disposition are part of what is signed. The store answers the client's Range; nothing is verified on the way. */
async function linkTo(
  delivery: Delivery,
  { sign }: ObjectPlace,
  { request }: Exchange,
  { blob, headers }: BlobAnswer,
): Promise<Detour | undefined> {
  if (!sign || !delivery.mayFollowLinks(request)) return undefined;
  const location = await sign(blob.objectKey, {
    expirySeconds: delivery.linkExpirySeconds,
    contentType: MEDIA_TYPES.blob,
    contentDisposition: 'attachment',
  });
  // The link is good for its bearer and for minutes only.
  const kept = { ...headers, Location: location, 'Cache-Control': 'no-store' };
  return { status: 307, headers: kept };
}

/** The web server answers the client's Range from the file. It would make a 404 of a file that is not there. */
async function fileAt(
  delivery: Delivery,
  { pathOf, store }: ObjectPlace,
  { request }: Exchange,
  { blob, headers }: BlobAnswer,
): Promise<Detour | undefined> {
  const location = delivery.fileLocation(request);
  if (!pathOf || location === undefined) return undefined;
  const sizeBytes = await store.size(blob.objectKey);
  if (sizeBytes === undefined) throw new ObjectMissing(blob.objectKey);
  if (sizeBytes !== blob.sizeBytes) throw new ObjectShort('an object has another size than its blob');
  // The web server says by itself which ranges it takes, beside what is said here.
  const { 'Accept-Ranges': _, ...others } = headers;
  return { status: 200, headers: { ...others, 'X-Accel-Redirect': `${location}${pathOf(blob.objectKey)}` } };
}

/** The head goes out with the first bytes, so that a store that cannot give them is still an answer and not a cut. */
async function streamBlob(
  { verifiesAll }: Delivery,
  { store, isRemote }: ObjectPlace,
  exchange: Exchange,
  { blob, range, headers }: BlobAnswer,
): Promise<void> {
  const { start, end } = range ?? { start: 0, end: blob.sizeBytes - 1 };
  const contentRange = range && { 'Content-Range': `bytes ${start}-${end}/${blob.sizeBytes}` };
  const head = { ...headers, ...contentRange, 'Content-Length': end - start + 1 };
  const client = watchClient(exchange, () => exchange.response.writeHead(range ? 206 : 200, head));
  const isVerified = range === undefined && (isRemote || verifiesAll);
  try {
    await (isVerified
      ? readVerified(store, { ...blob, signal: client.signal }, client.send)
      : store.read(blob.objectKey, { start, end, signal: client.signal }, client.send));
    exchange.response.end();
  } catch (error) {
    // The client left in the middle: nobody to answer, and nothing wrong here.
    if (exchange.response.destroyed) return;
    throw client.signal.aborted ? client.signal.reason : error;
  } finally {
    client.leave();
  }
}

/** A client that takes bytes, and may go at any time. */
interface WatchedClient {
  /** Aborted when it has gone. */
  readonly signal: AbortSignal;
  /** Resolves when its socket has taken the chunk, which is the back-pressure; rejects when it goes. */
  readonly send: (chunk: Uint8Array) => Promise<void>;
  readonly leave: () => void;
}

function watchClient({ request, response }: Exchange, begin: () => void): WatchedClient {
  let giveUp: ((reason: Error) => void) | undefined;
  const gone = new AbortController();
  // An answer that waits for an earlier one of a pipelining client has no socket to hear from: only the request ends then.
  const onClose = (): void => {
    const reason = new Error('the client went away');
    giveUp?.(reason);
    gone.abort(reason);
  };
  request.once('close', onClose);
  return {
    signal: gone.signal,
    send(chunk) {
      if (!response.headersSent) begin();
      return new Promise((resolve, reject) => {
        giveUp = reject;
        if (request.destroyed) onClose();
        else response.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    },
    leave: () => request.off('close', onClose),
  };
}

function failureOf(error: unknown): ReadFailure | undefined {
  if (error instanceof ObjectMissing) return 'missing';
  if (error instanceof ObjectShort) return 'short';
  if (error instanceof ObjectCorrupt) return 'corrupt';
  return error instanceof StoreUnavailable ? 'unavailable' : undefined;
}
