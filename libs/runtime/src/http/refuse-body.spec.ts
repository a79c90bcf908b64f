import type { Socket } from 'node:net';
import { RegistryError } from '@entrepot/oci';
import { describe, expect, it } from 'vitest';
import { answerError } from './answer-error.js';
import { openSocket, readToEnd, readUntil, sendRaw, startListener } from './started-listener.suite.js';
import type { StartedListener } from './started-listener.suite.js';

const HEAD = 'HTTP/1.1\r\nHost: registry\r\n';

async function startRefusing(): Promise<StartedListener & { receivedBytes(): number | undefined }> {
  let socket: Socket | undefined;
  const started = await startListener((request, response) => {
    ({ socket } = request);
    setImmediate(() => answerError(request, response, new RegistryError('UNAUTHORIZED'), { logger: started.logger }));
  });
  return { ...started, receivedBytes: () => socket?.bytesRead };
}

describe('refuseBody', () => {
  it('keeps the connection when there was no body', async () => {
    const { port } = await startRefusing();
    const { statuses } = await sendRaw(port, `GET /v2/ ${HEAD}\r\nGET /v2/ ${HEAD}Connection: close\r\n\r\n`);
    expect(statuses).toEqual([401, 401]);
  });

  it('keeps the connection when the body is small, though it comes late', async () => {
    const { port } = await startRefusing();
    const socket = await openSocket(port);
    socket.write(`PUT /v2/ ${HEAD}Content-Length: 5\r\n\r\n`);
    expect(await readUntil(socket, /\}\]\}$/)).not.toContain('Connection: close');
    const second = readUntil(socket, /401 Unauthorized/);
    socket.write(`helloGET /v2/ ${HEAD}\r\n`);
    await expect(second).resolves.toBeDefined();
  });

  it('answers and closes when the client waits for 100 Continue', async () => {
    const { port } = await startRefusing();
    const { text, statuses } = await sendRaw(port, `PUT /v2/ ${HEAD}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`);
    expect(statuses).toEqual([401]);
    expect(text).toContain('Connection: close');
  });

  it.each(['Content-Length: 1000000000', 'Transfer-Encoding: chunked'])(
    'gives the answer to a client that sends on, and reads little of it (%s)',
    async (framing) => {
      const { port, receivedBytes } = await startRefusing();
      const socket = await openSocket(port);
      const answer = readToEnd(socket);
      socket.write(`PUT /v2/ ${HEAD}${framing}\r\n\r\n`);
      if (framing.startsWith('Transfer')) socket.write('3b9aca00\r\n');
      const chunk = Buffer.alloc(2 ** 20);
      const pour = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', pour);
      pour();
      expect(await answer).toMatch(/^HTTP\/1\.1 401 [^]*Connection: close[^]*"UNAUTHORIZED"/);
      expect(receivedBytes()).toBeLessThan(2 ** 20);
    },
  );
});
