import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { publicOrigin } from './public-origin.js';

function originFor(host: string | undefined, config: Parameters<typeof publicOrigin>[1] = {}): string {
  const socket = new Socket();
  Object.defineProperty(socket, 'localPort', { value: 5000 });
  const request = new IncomingMessage(socket);
  const forwarded = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test' };
  Object.assign(request.headers, forwarded, host === undefined ? {} : { host });
  return publicOrigin(request, config);
}

describe('publicOrigin', () => {
  it.each([
    ['localhost:5000', 'http://localhost:5000'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['LOCALHOST', 'http://localhost'],
  ])('answers %s in its own name', (host, origin) => {
    expect(originFor(host)).toBe(origin);
  });

  it.each([
    undefined,
    '',
    'evil.test',
    'evil.test:5000',
    'localhost.evil.test',
    'localhost@evil.test',
    'localhost:5000@evil.test',
    'localhost:99999',
    'localhost:5000/path',
    'localhost, evil.test',
    '127.0.0.2:5000',
    '[::2]:5000',
  ])('D-08: reflects no other Host: %s', (host) => {
    expect(originFor(host)).toBe('http://127.0.0.1:5000');
  });

  it('says https when the port speaks TLS', () => {
    expect(originFor('localhost:5000', { tlsCertificate: 'a.pem' })).toBe('https://localhost:5000');
  });

  it('is the configured URL for everybody', () => {
    expect(originFor('evil.test', { publicUrl: 'https://registry.test' })).toBe('https://registry.test');
  });
});
