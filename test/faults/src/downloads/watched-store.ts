import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a store, and sees which downloads are under way. */
export interface WatchedStore {
  readonly origin: string;
  /** Bodies of GETs that have begun and neither ended nor lost their connection. */
  readonly downloads: number;
  /** Downloads that the other side broke off. */
  readonly brokenOff: number;
  /** Bytes that were taken from the store so far. */
  readonly sentBytes: number;
  /** Bodies that begin while it is silent stop after their first bytes, and nothing ends them. */
  isSilent: boolean;
  close(): Promise<void>;
}

/** Starts it on a free loopback port before the server at `origin`. */
export async function watchStore(origin: string): Promise<WatchedStore> {
  const state = { downloads: 0, brokenOff: 0, sentBytes: 0, isSilent: false };
  const { hostname, port } = new URL(origin);
  const server = createServer((incoming, response) => {
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      if (method === 'GET') {
        state.downloads += 1;
        response.once('close', () => {
          state.downloads -= 1;
          if (!response.writableFinished) state.brokenOff += 1;
        });
        answer.on('data', (chunk: Buffer) => (state.sentBytes += chunk.length));
      }
      if (state.isSilent) answer.once('data', (chunk: Buffer) => response.write(chunk, () => answer.pause()));
      else answer.pipe(response);
    });
    outgoing.once('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get downloads() {
      return state.downloads;
    },
    get brokenOff() {
      return state.brokenOff;
    },
    get sentBytes() {
      return state.sentBytes;
    },
    get isSilent() {
      return state.isSilent;
    },
    set isSilent(isSilent) {
      state.isSilent = isSilent;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
