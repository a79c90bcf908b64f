import type { IncomingMessage, RequestListener } from 'node:http';
import { pino } from 'pino';
import { RegistryError } from '@entrepot/oci';
import { parseNetworks } from '../config/networks.js';
import type { HttpConfig } from '../config/sections.js';
import { formatAccessLine } from '../observe/access-log.js';
import { beginExchange, exchangeOf } from '../observe/exchange.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { RequestMeter } from '../observe/request-meter.js';
import { answerError } from './answer-error.js';
import { clientAddress } from './client-address.js';
import { markActive, markDone } from './connections.js';
import type { FrontResponse } from './front-response.js';
import { isOutstanding } from './refuse-body.js';

export interface FrontOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly isReady?: () => boolean;
  readonly isDraining: () => boolean;
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

/** Status recorded where the client left before it was answered; the name is nginx's. */
const CLIENT_CLOSED_REQUEST = 499;

/** Gives each request its record, counts it, and hands it to the mount of its path. */
export function createFront(options: FrontOptions): Front {
  const mounts: Mounted[] = [];
  const own = mountedProbes(options);
  const finish = createFinish(options);
  const handle = (request: IncomingMessage, response: FrontResponse, expectsContinue: boolean): void => {
    const mounted = findMount(mounts, request.url ?? '') ?? own;
    const exchange = beginExchange(request, mounted.meter);
    exchange.expectsContinue = expectsContinue;
    mounted.meter.begin();
    markActive(response);
    response.on('close', finish.onClose);
    if (options.config.accessLog !== 'off') response.sentBytesBefore = request.socket.bytesWritten;
    if (options.isDraining()) response.shouldKeepAlive = false;
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
      answerError(request, response, refusal, { logger: options.logger });
    },
    close: finish.close,
  };
}

/** What Node's parser lets pass and a proxy in front may read differently (RFC 9112, 2.3, 3.2 and 6.1). */
function refuseUnsound(request: IncomingMessage): void {
  const coding = request.headers['transfer-encoding'];
  const reason =
    request.httpVersionMajor !== 1
      ? 'the HTTP version is not supported'
      : coding !== undefined && coding.toLowerCase() !== 'chunked'
        ? 'the only transfer coding that is supported is chunked'
        : request.headers.host?.includes(',') === true
          ? 'the request has more than one Host'
          : undefined;
  if (reason !== undefined) throw new RegistryError('UNSUPPORTED', { status: 400, message: reason });
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

function createFinish({ config, logger }: FrontOptions): { onClose(this: FrontResponse): void; close(): void } {
  const trusted = parseNetworks(config.trustedProxies);
  const accessLog = config.accessLog === 'combined' ? pino.destination({ dest: 1, sync: false }) : undefined;
  accessLog?.on('error', (error: Error) => logger.warn({ err: error }, 'the access log cannot be written'));
  return {
    onClose(this: FrontResponse) {
      const request = this.req;
      const exchange = exchangeOf(request);
      const status = this.writableFinished || this.headersSent ? this.statusCode : CLIENT_CLOSED_REQUEST;
      markDone(this);
      exchange.meter?.record({
        route: exchange.route,
        method: request.method ?? '',
        status,
        seconds: (performance.now() - exchange.startedMs) / 1000,
        errorCode: exchange.errorCode,
      });
      if (accessLog !== undefined && trusted !== undefined) {
        const address = clientAddress(request, trusted);
        const sentBytes = request.socket.bytesWritten - this.sentBytesBefore;
        accessLog.write(
          formatAccessLine({ response: this, clientAddress: address, status, sentBytes, at: new Date() }),
        );
      }
      // A body that was not read to its end makes the rest of the connection unreadable, and must not be read without bound.
      if (isOutstanding(request)) request.socket.destroySoon();
    },
    close() {
      accessLog?.flushSync();
      accessLog?.end();
    },
  };
}
