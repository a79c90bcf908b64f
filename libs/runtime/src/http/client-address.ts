import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import type { BlockList } from 'node:net';
import { isInNetworks } from '../config/networks.js';
import { exchangeOf } from '../observe/exchange.js';

const MAX_FORWARDED_HOPS = 32;

/**
 * The address that a request came from: the peer of the connection, or, where the peer is a trusted proxy, the nearest address
 * of `X-Forwarded-For` that is not one. No other forwarding header is read (security checklist A-15).
 */
export function clientAddress(request: IncomingMessage, trustedProxies: BlockList): string {
  let address = peerAddress(request);
  const forwarded = request.headers['x-forwarded-for'];
  if (typeof forwarded !== 'string' || !isInNetworks(address, trustedProxies)) return address;
  const hops = forwarded.split(',').slice(-MAX_FORWARDED_HOPS).toReversed();
  for (const hop of hops) {
    const candidate = plainAddress(hop.trim());
    if (isIP(candidate) === 0) return address;
    address = candidate;
    if (!isInNetworks(address, trustedProxies)) return address;
  }
  return address;
}

/** True where the request came straight from a trusted proxy, which then reads the answer before the client does. */
export function isFromProxy(request: IncomingMessage, trustedProxies: BlockList): boolean {
  return isInNetworks(peerAddress(request), trustedProxies);
}

/** What limits count by: an IPv4 address itself, the /64 network of an IPv6 address, since one customer holds all of it. */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%', 1);
  const [head = '', tail] = bare.split('::', 2);
  const headParts = head === '' ? [] : head.split(':');
  const tailParts = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - headParts.length - tailParts.length;
  const parts = [...headParts, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...tailParts];
  const network = parts.slice(0, 4).map((part) => Number.parseInt(part, 16).toString(16));
  return `${network.join(':')}::/64`;
}

function peerAddress(request: IncomingMessage): string {
  return plainAddress(exchangeOf(request).socket.remoteAddress ?? '');
}

/** `::ffff:192.0.2.1`, as a dual-stack socket names an IPv4 peer, is that IPv4 address. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
