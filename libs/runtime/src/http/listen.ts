import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

export interface ListenTarget {
  readonly host: string;
  readonly port: number;
  /** Name of the section whose HOST and PORT the message of a failure should name: `http`, `ops`. */
  readonly section: string;
}

/** The port cannot be taken; the message is one line that says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** `EADDRINUSE`, `EACCES`, … */
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws ListenError */
export async function listenOn(server: Server, target: ListenTarget): Promise<AddressInfo> {
  server.listen({ host: target.host, port: target.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    throw new ListenError(code, describeFailure(code, target), error);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no TCP address');
  return address;
}

function describeFailure(code: string, { host, port, section }: ListenTarget): string {
  const variable = `ENTREPOT_${section.toUpperCase()}`;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken by another program; stop that one, or set ${variable}_PORT`;
    case 'EACCES':
      return `port ${port} may not be opened by this user; set ${variable}_PORT to 1024 or above`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is not an address of this machine; correct ${variable}_HOST`;
    default:
      return `cannot listen on ${host} port ${port} (${code}); check ${variable}_HOST and ${variable}_PORT`;
  }
}
