/** What goes wrong with one exchange. Byte counts are of the body, which they may exceed: the fault comes at its end then. */
export type Fault =
  /** The request is passed on later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The proxy answers with an error of S3's form; the server hears nothing. 200 with an error body is possible, too. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** The connection is reset before anything is passed on. */
  | { readonly kind: 'refuse' }
  /** The connection is reset after the server did what was asked: its answer is dropped. */
  | { readonly kind: 'dropAnswer' }
  /** Both connections are reset in the middle of a body. */
  | { readonly kind: 'reset'; readonly body: BodyOf; readonly afterBytes: number }
  /** The answer's connection is closed in order in the middle of its body. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** A body stops, and the connection stays open. */
  | { readonly kind: 'stall'; readonly body: BodyOf; readonly afterBytes: number }
  /** The answer says that it is that much longer (then it is cut) or shorter (then it looks whole) than it is. */
  | { readonly kind: 'length'; readonly deltaBytes: number }
  /** One bit of a body is another one. */
  | { readonly kind: 'flip'; readonly body: BodyOf; readonly atByte: number }
  /** Both bodies come at this speed at most. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

export type BodyOf = 'request' | 'answer';

/** Which requests are meant. */
export interface RequestMatch {
  readonly method?: string;
  /** Tested against path and query as they were sent. */
  readonly url?: RegExp;
}

/** A fault and the requests that meet it; of several rules that match, the one that was added first applies. */
export interface FaultRule extends RequestMatch {
  readonly fault: Fault;
  /** So many matching requests pass first; default none. */
  readonly skip?: number;
  /** So many then meet the fault; default all. */
  readonly times?: number;
  /** Of those, the first of every so many; default 1. */
  readonly everyNth?: number;
}

export function isMatch({ method, url }: RequestMatch, asked: { method: string; url: string }): boolean {
  return (method === undefined || method === asked.method) && (url === undefined || url.test(asked.url));
}

/** Counts requests against a rule; says for each whether it meets the fault. */
export function countedRule(rule: FaultRule): (asked: { method: string; url: string }) => Fault | undefined {
  const { skip = 0, times = Infinity, everyNth = 1, fault } = rule;
  let seen = 0;
  let met = 0;
  return (asked) => {
    if (!isMatch(rule, asked)) return undefined;
    const place = seen - skip;
    seen += 1;
    if (place < 0 || place % everyNth !== 0 || met === times) return undefined;
    met += 1;
    return fault;
  };
}
