import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { openRegistry, type Account } from '@entrepot/testkit/registry-client';
import { Violation } from '../model/violation.js';

const TIMEOUT_MS = 60_000;
/** A request that was told to come back does, for so long. */
const MOST_TRIES = 60;
const TOKEN_AGE_MS = 60_000;

export interface Exchange {
  readonly method: string;
  /** Path with query, or a Location. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a storm counts of its requests. */
export interface Traffic {
  requests: number;
  /** Answers that told to come back: 429 and 503. */
  unavailable: number;
}

interface IssuedToken {
  readonly fetchedMs: number;
  readonly token: Promise<string>;
}

export interface StormClientOptions {
  /** Registries, which get requests in turn. */
  readonly origins: readonly string[];
  readonly issuer: string;
  readonly account: Account;
  /** Of the one token for all requests. */
  readonly scopes: readonly string[];
  /** Whether a 401 is a reason to fetch another token. */
  readonly hasRights: boolean;
}

/**
 * All requests of a storm, spread over the registries. A request whose answer is 503 is sent again, as clients do; every other
 * answer of 500 and above ends the storm.
 */
export class StormClient {
  readonly traffic: Traffic = { requests: 0, unavailable: 0 };
  readonly #agent = new Agent({ keepAlive: true });
  #issued: IssuedToken | undefined;
  #turn = 0;

  constructor(private readonly options: StormClientOptions) {}

  /** Resolves with the answer, whatever it is but 5xx. */
  async send(exchange: Exchange): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      const issued = this.#currentToken();
      const answer = await this.#sendOnce(exchange, await issued.token);
      this.traffic.requests += 1;
      // The token speaks of a repository that was deleted since.
      const isOutdated = answer.status === 401 && this.options.hasRights && tries < MOST_TRIES;
      if (isOutdated && this.#issued === issued) this.#issued = undefined;
      if (isOutdated) continue;
      if (!isLater(answer)) return checked(exchange, answer);
      if (tries > MOST_TRIES) throw new Violation('503', `${described(exchange)}: ${answer.status} for too long`);
      this.traffic.unavailable += 1;
      await delay(Number(answer.headers['retry-after'] ?? 1) * 1000);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #sendOnce({ method, path, contentType, body }: Exchange, token: string): Promise<Answer> {
    const { origins } = this.options;
    this.#turn += 1;
    const origin = origins[this.#turn % origins.length];
    const outgoing = request(new URL(path, origin), {
      method,
      agent: this.#agent,
      timeout: TIMEOUT_MS,
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Length': body?.length ?? 0,
        ...(contentType !== undefined && { 'Content-Type': contentType }),
      },
    });
    return new Promise<Answer>((resolve, reject) => {
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered`)));
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const { statusCode: status = 0, headers } = incoming;
        buffer(incoming).then((bytes) => resolve({ status, headers, body: bytes }), reject);
      });
      outgoing.end(body);
    });
  }

  #currentToken(): IssuedToken {
    if (this.#issued && performance.now() - this.#issued.fetchedMs < TOKEN_AGE_MS) return this.#issued;
    const { issuer, account, scopes } = this.options;
    this.#issued = { fetchedMs: performance.now(), token: openRegistry(issuer, account).token(scopes) };
    return this.#issued;
  }
}

function isLater({ status }: Answer): boolean {
  return status === 503 || status === 429;
}

function checked(exchange: Exchange, answer: Answer): Answer {
  if (answer.status < 500) return answer;
  throw new Violation('5xx', `${described(exchange)}: ${answer.status} ${answer.body.toString()}`);
}

function described({ method, path }: Exchange): string {
  return `${method} ${path}`;
}
