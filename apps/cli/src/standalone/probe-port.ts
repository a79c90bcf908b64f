import { createServer } from 'node:net';
import { listenOn, type ListenTarget } from '@entrepot/runtime';

/** Throws `ListenError` if the port cannot be opened now, so that a start fails before it has made anything. */
export async function probePort(target: ListenTarget): Promise<void> {
  if (target.port === 0) return;
  const server = createServer();
  await listenOn(server, target);
  await new Promise((resolve) => server.close(resolve));
}
