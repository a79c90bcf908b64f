import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import https from 'node:https';
import { S3Failure, SILENCE, isTroubledStatus } from './s3-failure.js';

/** One request, as the transport below the client library sees it. */
export interface S3Call {
  /** How long nothing may move, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** The body of the answer is read at the caller's pace: whoever reads it watches it. */
  readonly isStreamed: boolean;
  /** Ends the request when it is aborted. */
  readonly signal?: AbortSignal;
  /** Status of the answer, once there is one. */
  status?: number;
}

/** The library takes a transport for all requests and none for a single one: what belongs to one comes along here. */
const currentCall = new AsyncLocalStorage<S3Call>();

/** Runs `work`, whose one request is made on the terms of the call. */
export function withCall<T>(call: S3Call, work: () => Promise<T>): Promise<T> {
  return currentCall.run(call, work);
}

/** Requests for the client library that end when nothing moves, and note their status. */
export function s3Transport(isSecure: boolean): { readonly request: typeof http.request } {
  const { request: open } = isSecure ? https : http;
  const request = (options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void) => {
    const call = currentCall.getStore();
    const sent = open({ ...options, ...(call?.signal && { signal: call.signal }) }, (response) => {
      if (call !== undefined) noteAnswer(call, sent, response);
      onResponse(response);
    });
    if (call !== undefined) watch(call, sent);
    return sent;
  };
  return { request: request as typeof http.request };
}

function noteAnswer(call: S3Call, sent: http.ClientRequest, response: http.IncomingMessage): void {
  const status = response.statusCode ?? 0;
  call.status = status;
  // The library does not read these answers; unread they would keep their connection for ever.
  if (isTroubledStatus(status)) response.resume();
  else if (call.isStreamed && status < 300) sent.setTimeout(0);
}

function watch(call: S3Call, sent: http.ClientRequest): void {
  sent.setTimeout(call.idleTimeoutMs, () => sent.destroy(new S3Failure(SILENCE, true)));
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => sent.destroy(new S3Failure('no connection', true)), call.connectTimeoutMs);
    const settle = (): void => clearTimeout(timer);
    socket.once('connect', settle);
    sent.once('close', settle);
  });
}
