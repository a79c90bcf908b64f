import { ServerResponse } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';

/**
 * An answer that carries the headers of its mount whichever way it is written: by Fastify, by a handler's own `writeHead`, or by
 * `setHeader` and `end`. They are added as the head is written, because a header set before turns Node's `writeHead` from its
 * fast into its slow form, which costs more than all else the front does.
 */
export class FrontResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  ownHeaders: Readonly<Record<string, string>> = {};
  /** For the access log, and absent without one: who asked, when, and what the connection had sent before this answer. */
  accessStart: { readonly clientAddress: string; readonly at: Date; readonly sentBytes: number } | undefined;

  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    const given = typeof reason === 'string' ? headers : (reason ?? headers);
    if (Array.isArray(given)) {
      const merged = [...given, ...Object.entries(this.ownHeaders).flat()];
      return typeof reason === 'string' ? super.writeHead(status, reason, merged) : super.writeHead(status, merged);
    }
    const merged = { ...this.ownHeaders, ...given };
    return typeof reason === 'string' ? super.writeHead(status, reason, merged) : super.writeHead(status, merged);
  }
}

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
