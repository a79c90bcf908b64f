import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseNetworks } from '../config/networks.js';
import { addressGroup, clientAddress } from './client-address.js';

function addressOf(peer: string, headers: Record<string, string>, trusted: readonly string[] = []): string {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  Object.assign(request.headers, headers);
  const networks = parseNetworks(trusted);
  if (networks === undefined) throw new Error('malformed networks in a test');
  return clientAddress(request, networks);
}

describe('clientAddress', () => {
  it('A-15: believes no header of a peer that is not trusted', () => {
    const headers = { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' };
    expect(addressOf('192.0.2.1', headers)).toBe('192.0.2.1');
    expect(addressOf('192.0.2.1', headers, ['10.0.0.0/8'])).toBe('192.0.2.1');
  });

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['198.51.100.7, 10.1.1.1', '198.51.100.7'],
    ['1.1.1.1, 198.51.100.7, 10.1.1.1, 10.2.2.2', '198.51.100.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['10.1.1.1', '10.1.1.1'],
    ['', '10.0.0.1'],
    ['unknown', '10.0.0.1'],
    ['198.51.100.7, not an address', '10.0.0.1'],
    ['198.51.100.7:443', '10.0.0.1'],
  ])('takes the nearest address that no trusted proxy has from %j', (forwarded, expected) => {
    expect(addressOf('10.0.0.1', { 'x-forwarded-for': forwarded }, ['10.0.0.0/8'])).toBe(expected);
  });

  it('knows an IPv4 peer of a dual-stack socket', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7' };
    expect(addressOf('::ffff:192.0.2.1', headers)).toBe('192.0.2.1');
    expect(addressOf('::ffff:10.0.0.1', headers, ['10.0.0.0/8'])).toBe('198.51.100.7');
  });
});

describe('addressGroup', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('groups %s as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
