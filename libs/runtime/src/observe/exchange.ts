import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestMeter } from './request-meter.js';

/** What is known of one request and its answer while they run; handlers fill in what only they know. */
export interface Exchange {
  /** Names the request in the log and in the answer's `X-Request-Id`. */
  readonly requestId: string;
  readonly startedMs: number;
  readonly meter: RequestMeter | undefined;
  /** The connection. Node forgets `request.socket` where a handler destroys a request before its end. */
  readonly socket: Socket;
  /** One of the route names that the mount declared; anything else is counted as `other`. */
  route: string;
  /** Account name for the access log. */
  user: string | undefined;
  /** Code of the error that was answered. */
  errorCode: string | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  expectsContinue: boolean;
}

const EXCHANGE = Symbol('exchange');
/** Ids of this process: a random start and a counter, since a random number each would cost more than all the rest here. */
const REQUEST_ID_PREFIX = randomBytes(9).toString('hex');
let requestCount = 0;

const SANE_REQUEST_ID = /^[A-Za-z0-9][\w.:-]{0,127}$/;

type ExchangeRequest = IncomingMessage & { [EXCHANGE]?: Exchange };

/** The record of a request; the front made it, or it is made now for a request that did not come through the front. */
export function exchangeOf(request: IncomingMessage): Exchange {
  return (request as ExchangeRequest)[EXCHANGE] ?? beginExchange(request, undefined);
}

/** Starts the record of a request. A sane `X-Request-Id` of the client is kept, so that traces join. */
export function beginExchange(request: IncomingMessage, meter: RequestMeter | undefined): Exchange {
  const given = request.headers['x-request-id'];
  const exchange: Exchange = {
    requestId: typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : nextRequestId(),
    startedMs: performance.now(),
    meter,
    socket: request.socket,
    route: 'other',
    user: undefined,
    errorCode: undefined,
    expectsContinue: false,
  };
  (request as ExchangeRequest)[EXCHANGE] = exchange;
  return exchange;
}

function nextRequestId(): string {
  requestCount += 1;
  return `${REQUEST_ID_PREFIX}-${requestCount.toString(36)}`;
}
