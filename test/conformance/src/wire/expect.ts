import { Mismatch } from '../ledger/outcome.js';
import type { WireReply } from './exchange.js';

/** What a reply has to be. A header of `null` must only be present. */
export interface Expectation {
  readonly status: readonly number[];
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Buffer;
}

/** Throws one Mismatch that names everything that is wrong with the reply. */
export function expectReply(reply: WireReply, expected: Expectation): void {
  const faults: string[] = [];
  if (!expected.status.includes(reply.status)) {
    faults.push(`status ${reply.status} in place of ${expected.status.join(' or ')}${excerpt(reply)}`);
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const received = reply.headers[name.toLowerCase()] ?? [];
    if (value === null ? received.length === 0 : !received.includes(value)) {
      faults.push(`header ${name} is ${JSON.stringify(received.join(', '))}, expected ${value ?? 'some value'}`);
    }
  }
  if (expected.body !== undefined && !expected.body.equals(reply.body)) {
    faults.push(`a body of ${reply.body.length} bytes that are not the ${expected.body.length} expected`);
  }
  if (faults.length > 0) throw new Mismatch(`${describe(reply)}: ${faults.join('; ')}`);
}

/** The first value of a header, or undefined. */
export function headerOf(reply: WireReply, name: string): string | undefined {
  return reply.headers[name.toLowerCase()]?.[0];
}

/** The next URL of a session or object, resolved against the request; undefined without a Location. */
export function locationOf(reply: WireReply): URL | undefined {
  const location = headerOf(reply, 'Location');
  return location === undefined || location === '' ? undefined : new URL(location, reply.url);
}

/** Like {@link locationOf}, and a Mismatch without one. */
export function requireLocation(reply: WireReply): URL {
  const location = locationOf(reply);
  if (location === undefined) throw new Mismatch(`${describe(reply)}: no Location`);
  return location;
}

/** The JSON object of the body; a Mismatch where it is something else. */
export function readJson(reply: WireReply): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(reply.body.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Falls through to the one description of a body that is no JSON object.
  }
  throw new Mismatch(`${describe(reply)}: the body is no JSON object${excerpt(reply)}`);
}

/** Method and target, for messages. */
export function describe(reply: WireReply): string {
  return `${reply.method} ${reply.url.pathname}`;
}

function excerpt(reply: WireReply): string {
  const isText = /json|text/.test(headerOf(reply, 'Content-Type') ?? '');
  return isText && reply.body.length > 0 ? ` (${reply.body.toString().slice(0, 200).trim()})` : '';
}
