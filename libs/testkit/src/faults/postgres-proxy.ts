import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * When a connection is lost: `before` the message reaches Postgres, `after` Postgres answered it, or, `late`, first the client is
 * lost and the message arrives a while afterwards.
 */
export type CutPoint = 'before' | 'after' | 'late';

/** Stands between clients and Postgres, and loses single connections at a chosen message. */
export interface PostgresProxy {
  /** How clients reach Postgres through it. */
  readonly url: string;
  /** Loses the connection on which the next message comes that holds the text (a statement, or the name of a prepared one). */
  cutNext(text: string, point: CutPoint): void;
  /** Leads all further connections to another Postgres, and ends those that are open, as a failover does. */
  redirect(postgresUrl: string): void;
  /** Connections that were lost so far. */
  cutCount(): number;
  close(): Promise<void>;
}

const LATE_MS = 400;
/** ReadyForQuery, which ends every answer, without the transaction's status in its last byte. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Starts a proxy before the Postgres of the URL, on a free port of the loopback interface. */
export async function startPostgresProxy(postgresUrl: string): Promise<PostgresProxy> {
  let target = addressOf(postgresUrl);
  let planned: { readonly text: string; readonly point: CutPoint } | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const take = (chunk: Buffer): CutPoint | undefined => {
    if (planned === undefined || !chunk.includes(planned.text)) return undefined;
    const { point } = planned;
    planned = undefined;
    cuts += 1;
    return point;
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    bridge(client, upstream, take);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: throughPort(postgresUrl, (server.address() as AddressInfo).port),
    cutNext: (text, point) => {
      planned = { text, point };
    },
    redirect: (url) => {
      target = addressOf(url);
      for (const socket of sockets) socket.destroy();
    },
    cutCount: () => cuts,
    close: async () => {
      const closed = once(server.close(), 'close');
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function bridge(client: Socket, upstream: Socket, take: (chunk: Buffer) => CutPoint | undefined): void {
  let cut: CutPoint | undefined;
  const lose = (): void => {
    client.destroy();
    upstream.destroy();
  };
  client.on('data', (chunk: Buffer) => {
    cut ??= take(chunk);
    if (cut === 'before') lose();
    else if (cut === 'late') void sendLate(client, upstream, chunk);
    else upstream.write(chunk);
  });
  upstream.on('data', (chunk: Buffer) => {
    if (cut === undefined) client.write(chunk);
    else if (cut === 'after' && chunk.subarray(-6, -1).equals(READY)) lose();
  });
  client.on('close', () => {
    if (cut !== 'late') upstream.end();
  });
  upstream.on('close', () => client.destroy());
}

async function sendLate(client: Socket, upstream: Socket, chunk: Buffer): Promise<void> {
  client.destroy();
  await delay(LATE_MS);
  upstream.write(chunk);
  upstream.end();
}

function addressOf(url: string): { path: string } | { host: string; port: number } {
  const { hostname, port, searchParams } = new URL(url);
  const directory = searchParams.get('host');
  const portNumber = Number(port || 5432);
  if (directory?.startsWith('/')) return { path: join(directory, `.s.PGSQL.${portNumber}`) };
  return { host: directory ?? hostname, port: portNumber };
}

function throughPort(url: string, port: number): string {
  const through = new URL(url);
  through.searchParams.delete('host');
  through.host = `127.0.0.1:${port}`;
  return through.href;
}
