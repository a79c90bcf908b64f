import type { ServerResponse } from 'node:http';
import { exchangeOf } from './exchange.js';
import { printable, redactCredentials } from './printable.js';

/** Query parameters whose values may be written; upload state, tokens and whatever else a client sends may not. */
const SAFE_PARAMETERS = new Set(['n', 'last', 'digest', 'mount', 'from', 'tag', 'artifactType', 'service', 'scope']);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const MAX_URL_LENGTH = 1024;

export interface AccessEntry {
  readonly response: ServerResponse;
  readonly clientAddress: string;
  readonly status: number;
  /** Of the answer, its head included. */
  readonly sentBytes: number;
  readonly at: Date;
}

/**
 * One line in the combined log format (Apache HTTP Server, "Combined Log Format"), ending in a newline. Texts of the client
 * are escaped and cut; credentials, and query values beyond a known few, are left out.
 */
export function formatAccessLine(entry: AccessEntry): string {
  const request = entry.response.req;
  const user = exchangeOf(request).user ?? '-';
  const target = `${request.method ?? '-'} ${printable(safeUrl(request.url ?? '-'), MAX_URL_LENGTH)} HTTP/${request.httpVersion}`;
  const agent = printable(redactCredentials(request.headers['user-agent'] ?? '-'));
  const referer = printable(safeUrl(request.headers.referer ?? '-'));
  return `${entry.clientAddress} - ${printable(user)} [${formatDate(entry.at)}] "${target}" ${entry.status} ${entry.sentBytes} "${referer}" "${agent}"\n`;
}

function safeUrl(url: string): string {
  const [path = '', query] = redactCredentials(url).split('?', 2);
  if (query === undefined) return path;
  const parameters = query.split('&').map((parameter) => {
    const [name = ''] = parameter.split('=', 1);
    return SAFE_PARAMETERS.has(name) ? parameter : `${name}=[redacted]`;
  });
  return `${path}?${parameters.join('&')}`;
}

/** `10/Oct/2000:13:55:36 +0000` */
function formatDate(at: Date): string {
  const day = String(at.getUTCDate()).padStart(2, '0');
  return `${day}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
}
