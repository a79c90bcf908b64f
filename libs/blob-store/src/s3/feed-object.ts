import type { IncomingMessage } from 'node:http';
import { ObjectShort, StoreUnavailable, type ByteRange } from '@entrepot/content';
import type { S3Body, S3Bucket } from './s3-bucket.js';
import { S3Failure, SILENCE, toS3Failure } from './s3-failure.js';

/** Tries to go on after a broken answer, without a byte in between. */
const MAX_BREAKS = 2;

const BEYOND = new Set(['InvalidRange', 'HTTP 416']);

type Sink = (chunk: Uint8Array) => Promise<void>;

/** What `sink` rejected with, to tell it from what the store failed with. */
class SinkRefused extends Error {
  constructor(readonly reason: unknown) {
    super('the sink gave up');
  }
}

/**
 * Feeds a range of an object to `sink`, with back-pressure. An answer that breaks off, stalls or ends early is gone on with
 * from the byte where it stopped, of the same version of the object. Rejects with `S3Failure`, or as the sink did.
 */
export async function feedObject(bucket: S3Bucket, name: string, range: ByteRange, sink: Sink): Promise<void> {
  let { start } = range;
  let etag: string | undefined;
  let breaks = 0;
  while (start <= range.end) {
    const body: S3Body = await orShort(bucket.get(name, { start, end: range.end }, etag), start);
    etag ??= body.etag;
    try {
      checkAnswer(body.stream, { start, end: range.end });
      await feedBody(body.stream, bucket.idleTimeoutMs, async (chunk) => {
        const rest = range.end + 1 - start;
        if (chunk.length > rest) throw new S3Failure('more bytes than asked for', true);
        start += chunk.length;
        breaks = 0;
        await refusing(sink, chunk);
      });
      if (start <= range.end) throw new S3Failure('the answer ended early', true);
    } catch (error) {
      body.stream.destroy();
      if (error instanceof SinkRefused) throw error.reason;
      breaks += 1;
      if (error instanceof StoreUnavailable || breaks > MAX_BREAKS) throw error;
    }
  }
}

/** A range that lies behind the end is not answered at all (RFC 9110, 15.5.17). */
async function orShort<T>(answer: Promise<T>, start: number): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof S3Failure) || !BEYOND.has(error.code)) throw error;
    throw new ObjectShort(`an object ends before byte ${start}, which was asked for`, { cause: error });
  }
}

/** An answer for another range, or one that says another length, is none. */
function checkAnswer({ statusCode, headers }: IncomingMessage, { start, end }: ByteRange): void {
  const isPart = statusCode === 206 && headers['content-range']?.startsWith(`bytes ${start}-`) === true;
  if (!isPart && !(statusCode === 200 && start === 0)) throw new S3Failure('another range than asked for', true);
  const [, last, total] = /^bytes \d+-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  if (isPart && total !== undefined && Number(total) <= end) {
    throw new ObjectShort(`an object ends at ${total} bytes, before the range that was asked for`);
  }
  const lengthBytes = Number(headers['content-length'] ?? end + 1 - start);
  if ((isPart && last !== undefined && Number(last) !== end) || lengthBytes !== end + 1 - start) {
    throw new S3Failure('another length than asked for', true);
  }
}

/** Feeds the body; fails when no byte comes for so long, however long the sink takes. */
async function feedBody(stream: IncomingMessage, idleTimeoutMs: number, sink: Sink): Promise<void> {
  let isWaiting = true;
  const timer = setTimeout(() => {
    if (isWaiting) stream.destroy(new S3Failure(SILENCE, true));
  }, idleTimeoutMs);
  try {
    for await (const chunk of stream) {
      isWaiting = false;
      await sink(chunk as Uint8Array);
      isWaiting = true;
      timer.refresh();
    }
  } catch (error) {
    throw error instanceof SinkRefused || error instanceof StoreUnavailable ? error : toS3Failure(error, undefined);
  } finally {
    clearTimeout(timer);
  }
}

async function refusing(sink: Sink, chunk: Uint8Array): Promise<void> {
  try {
    await sink(chunk);
  } catch (reason) {
    throw new SinkRefused(reason);
  }
}
