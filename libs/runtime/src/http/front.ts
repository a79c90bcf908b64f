import type { IncomingMessage, RequestListener } from 'node:http';
import { RegistryError } from '@entrepot/oci';
import type { HttpConfig } from '../config/sections.js';
import { beginExchange, exchangeOf } from '../observe/exchange.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { RequestMeter } from '../observe/request-meter.js';
import { answerError } from './answer-error.js';
import type { FrontResponse } from './front-response.js';
import { createRecorder } from './record-exchanges.js';

export interface FrontOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly isReady?: () => boolean;
  /** The process stops: `/readyz` says no. */
  readonly isDraining: () => boolean;
  /** Every answer is the last one of its connection. */
  readonly isLeaving: () => boolean;
}

export interface MountOptions {
  /** Value of the `service` label. */
  readonly service: string;
  /** Names that handlers give to `exchangeOf(request).route`. */
  readonly routes: readonly string[];
  /** Headers of every answer below the prefix, errors included. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Front {
  mount(prefix: string, handler: RequestListener, options: MountOptions): void;
  handle(request: IncomingMessage, response: FrontResponse): void;
  /** A request whose client waits for `100 Continue`: the handler decides, by `continueUpload`. */
  handleExpecting(request: IncomingMessage, response: FrontResponse): void;
  /** A request with another expectation than `100-continue` (RFC 9110, 10.1.1). */
  handleUnmet(request: IncomingMessage, response: FrontResponse): void;
  close(): void;
}

interface Mounted {
  readonly prefix: string;
  readonly handler: RequestListener;
  readonly headers: Readonly<Record<string, string>>;
  readonly meter: RequestMeter;
}

/** Gives each request its record, counts it, and hands it to the mount of its path. */
export function createFront(options: FrontOptions): Front {
  const mounts: Mounted[] = [];
  const own = mountedProbes(options);
  const recorder = createRecorder(options.config, options.logger);
  const handle = (request: IncomingMessage, response: FrontResponse, expectsContinue: boolean): void => {
    const mounted = findMount(mounts, request.url ?? '') ?? own;
    const exchange = beginExchange(request, mounted.meter);
    exchange.expectsContinue = expectsContinue;
    recorder.begin(response);
    // Node drops what came with a request that asks for another protocol: what follows would be answered out of step.
    if (options.isLeaving() || request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    response.ownHeaders = { 'X-Request-Id': exchange.requestId, ...mounted.headers };
    try {
      refuseUnsound(request);
      mounted.handler(request, response);
    } catch (error) {
      answerError(request, response, error, { logger: options.logger });
    }
  };
  return {
    mount(prefix, handler, { service, routes, headers = {} }) {
      mounts.push({
        prefix,
        handler,
        headers,
        meter: options.metrics.requestMeter(service, routes),
      });
      mounts.sort((a, b) => b.prefix.length - a.prefix.length);
    },
    handle: (request, response) => handle(request, response, false),
    handleExpecting: (request, response) => handle(request, response, true),
    handleUnmet(request, response) {
      const message = 'the only expectation that is supported is 100-continue';
      const refusal = new RegistryError('UNSUPPORTED', { status: 417, message });
      response.shouldKeepAlive = false;
      answerError(request, response, refusal, { logger: options.logger });
    },
    close: recorder.close,
  };
}

function refuseUnsound(request: IncomingMessage): void {
  const message = unsoundnessOf(request);
  if (message !== undefined) throw new RegistryError('UNSUPPORTED', { status: 400, message });
}

/** What Node's parser lets pass and a proxy in front may read differently (RFC 9112, 2.3, 3.2 and 6.1). */
function unsoundnessOf({ headers, httpVersionMajor }: IncomingMessage): string | undefined {
  if (httpVersionMajor !== 1) return 'the HTTP version is not supported';
  if (headers.host?.includes(',') === true) return 'the request has more than one Host';
  const coding = headers['transfer-encoding'];
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined;
  return 'the only transfer coding that is supported is chunked';
}

function findMount(mounts: readonly Mounted[], url: string): Mounted | undefined {
  const path = url.startsWith('/') ? url : pathOfAbsoluteForm(url);
  for (const mounted of mounts) {
    if (!path.startsWith(mounted.prefix)) continue;
    const next = path[mounted.prefix.length];
    if (next === undefined || next === '/' || next === '?') return mounted;
  }
  return undefined;
}

/** `GET http://host/v2/ HTTP/1.1` (RFC 9112, 3.2.2) is for `/v2/`. */
function pathOfAbsoluteForm(url: string): string {
  return /^https?:\/\/[^/?#]*(?<path>.*)$/i.exec(url)?.groups?.['path'] ?? url;
}

/** `/livez`, `/readyz`, and the answer to a path that nothing is mounted on. */
function mountedProbes(options: FrontOptions): Mounted {
  const handler: RequestListener = (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    const isProbe =
      (path === '/livez' || path === '/readyz') && (request.method === 'GET' || request.method === 'HEAD');
    if (!isProbe) throw new RegistryError('UNSUPPORTED', { status: 404, message: 'there is no such endpoint' });
    exchangeOf(request).route = path.slice(1);
    const yes = path === '/livez' || (!options.isDraining() && (options.isReady?.() ?? true));
    const headers = { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store', 'Content-Length': yes ? 4 : 3 };
    response.writeHead(yes ? 200 : 503, headers).end(yes ? 'yes\n' : 'no\n');
  };
  return { prefix: '/', handler, headers: {}, meter: options.metrics.requestMeter('front', ['livez', 'readyz']) };
}
