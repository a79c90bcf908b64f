import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Entrepot } from '@entrepot/testkit/entrepot';

/** Process ids of the workers that live. */
export function workersOf(service: Entrepot): number[] {
  return service.processes().filter((pid) => pid !== service.pid);
}

/** The worker that has the other end of a connection from this local port. */
export function workerOfConnection(service: Entrepot, clientPort: number): number {
  const inode = inodeOfConnection(service.port, clientPort);
  const owner = workersOf(service).find((pid) => holdsSocket(pid, inode));
  if (owner === undefined) throw new Error(`no worker has the connection from port ${clientPort}`);
  return owner;
}

/** Bytes that the process has read so far, from sockets and files alike, from caches too. */
export function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Fields of /proc/net/tcp: number, local address, remote address, state, …, inode as the tenth. */
function inodeOfConnection(localPort: number, remotePort: number): string {
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const found = fields.find(
    ([, local = '', remote = '']) => local.endsWith(portSuffix(localPort)) && remote.endsWith(portSuffix(remotePort)),
  );
  if (found?.[9] === undefined) throw new Error(`there is no connection from port ${remotePort}`);
  return found[9];
}

function portSuffix(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

function holdsSocket(pid: number, inode: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`;
    } catch {
      // Closed since the directory was read.
      return false;
    }
  });
}
