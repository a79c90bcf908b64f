import type { IncomingMessage, ServerResponse } from 'node:http';
import { exchangeOf } from '../observe/exchange.js';

/** What is still read of a body that was refused. A client that sends on without looking is then left standing. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const LINGER_MS = 1000;

/**
 * Ends an answer whose head is set (status, headers, `Content-Length`) while the request's body may still be on its way. A
 * body that has arrived, or is small, leaves the connection usable. Otherwise the answer says `Connection: close`, at most
 * 64 KiB more are read for at most a second, so that the client sees the answer and no reset, and the connection is closed.
 * (Node alone would go on reading the refused body to its end.)
 */
export function refuseBody(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
  if (!isOutstanding(request)) {
    response.end(body);
    return;
  }
  response.shouldKeepAlive = false;
  if (exchangeOf(request).expectsContinue || request.destroyed) {
    response.end(body);
    return;
  }
  response.write(body);
  discardSome(request, () => response.end());
}

/** Lets a client that waits for `100 Continue` send its body; to be called once the request is allowed. */
export function continueUpload(request: IncomingMessage, response: ServerResponse): void {
  const exchange = exchangeOf(request);
  if (!exchange.expectsContinue) return;
  exchange.expectsContinue = false;
  response.writeContinue();
}

/** Whether more of the request's body is to come than Node may be left to read and drop so that the connection stays usable. */
export function isOutstanding(request: IncomingMessage): boolean {
  if (request.complete) return false;
  // A handler gave up reading: nobody takes what is left.
  if (request.destroyed) return true;
  if (exchangeOf(request).expectsContinue || request.headers['transfer-encoding'] !== undefined) return true;
  return Number(request.headers['content-length'] ?? 0) > MAX_DISCARDED_BYTES;
}

function discardSome(request: IncomingMessage, done: () => void): void {
  let discardedBytes = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', count).off('end', finish).off('close', finish);
    request.pause();
    done();
  };
  const count = (chunk: Uint8Array): void => {
    discardedBytes += chunk.length;
    // Not read any further, but not cut either: a reset could overtake the answer on its way to the client.
    if (discardedBytes >= MAX_DISCARDED_BYTES) request.pause();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('data', count).on('end', finish).on('close', finish);
}
