import { pino } from 'pino';
import { parseNetworks } from '../config/networks.js';
import type { HttpConfig } from '../config/sections.js';
import { formatAccessLine } from '../observe/access-log.js';
import { exchangeOf } from '../observe/exchange.js';
import type { Logger } from '../observe/logger.js';
import { clientAddress } from './client-address.js';
import { markActive, markDone } from './connections.js';
import type { FrontResponse } from './front-response.js';
import { isOutstanding } from './refuse-body.js';

/** Counts requests and writes the access log. */
export interface Recorder {
  /** At the start of a request that has its exchange; the end is noticed here. */
  begin(response: FrontResponse): void;
  /** Writes what is left of the access log. */
  close(): void;
}

interface AccessLog {
  /** Notes what can no longer be known when the connection is gone. */
  begin(response: FrontResponse): void;
  end(response: FrontResponse, status: number): void;
  close(): void;
}

/** Status recorded where the client left before it was answered; the name is nginx's. */
const CLIENT_CLOSED_REQUEST = 499;
/** What a pipe takes as a whole (POSIX, `PIPE_BUF`): the lines of several workers never mix. */
const MAX_WRITE_BYTES = 4096;

export function createRecorder(config: HttpConfig, logger: Logger): Recorder {
  const accessLog = config.accessLog === 'combined' ? openAccessLog(config, logger) : undefined;
  // One function for all answers, which are its `this`: a closure for each would cost more than the counting.
  function end(this: FrontResponse): void {
    const exchange = exchangeOf(this.req);
    const status = this.headersSent ? this.statusCode : CLIENT_CLOSED_REQUEST;
    markDone(this);
    exchange.meter?.record({
      route: exchange.route,
      method: this.req.method ?? '',
      status,
      seconds: (performance.now() - exchange.startedMs) / 1000,
      errorCode: exchange.errorCode,
    });
    accessLog?.end(this, status);
    // A body that was not read to its end makes the rest of the connection unreadable, and must not be read without bound.
    if (isOutstanding(this.req)) exchange.socket.destroySoon();
  }
  return {
    begin(response) {
      exchangeOf(response.req).meter?.begin();
      markActive(response);
      accessLog?.begin(response);
      response.on('close', end);
    },
    close: () => accessLog?.close(),
  };
}

function openAccessLog(config: HttpConfig, logger: Logger): AccessLog {
  const trusted = parseNetworks(config.trustedProxies);
  if (trusted === undefined) throw new Error('the settings were not checked');
  const destination = pino.destination({ dest: 1, sync: false, maxWrite: MAX_WRITE_BYTES });
  destination.on('error', (error: Error) => logger.warn({ err: error }, 'the access log cannot be written'));
  return {
    begin(response) {
      const { socket } = exchangeOf(response.req);
      const address = clientAddress(response.req, trusted);
      response.accessStart = { clientAddress: address, at: new Date(), sentBytes: socket.bytesWritten };
    },
    end(response, status) {
      if (response.accessStart === undefined) return;
      const sentBytes = exchangeOf(response.req).socket.bytesWritten - response.accessStart.sentBytes;
      destination.write(formatAccessLine({ ...response.accessStart, response, status, sentBytes }));
    },
    close() {
      destination.flushSync();
      destination.end();
    },
  };
}
