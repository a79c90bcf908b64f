import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatAccessLine } from './access-log.js';
import { exchangeOf } from './exchange.js';

function lineFor(request: { url: string; headers?: Record<string, string>; user?: string }): string {
  const incoming = new IncomingMessage(new Socket());
  Object.assign(incoming, { method: 'GET', httpVersion: '1.1', url: request.url });
  Object.assign(incoming.headers, request.headers);
  exchangeOf(incoming).user = request.user;
  return formatAccessLine({
    response: new ServerResponse(incoming),
    clientAddress: '192.0.2.7',
    status: 200,
    sentBytes: 512,
    at: new Date('2026-11-03T04:05:06Z'),
  });
}

describe('formatAccessLine', () => {
  it('is in the combined format', () => {
    const headers = { 'user-agent': 'docker/28.2', referer: 'https://registry.test/' };
    expect(lineFor({ url: '/v2/a/tags/list?n=1', headers, user: 'alice' })).toBe(
      '192.0.2.7 - alice [03/Nov/2026:04:05:06 +0000] "GET /v2/a/tags/list?n=1 HTTP/1.1" 200 512 "https://registry.test/" "docker/28.2"\n',
    );
  });

  it('L-02: leaves out credentials and unknown query values', () => {
    const line = lineFor({
      url: '/v2/a/blobs/uploads/1?_state=planted1&digest=sha256:a&token=planted2&flag',
      headers: {
        authorization: 'Bearer planted3',
        referer: 'https://user:planted4@registry.test/?code=planted5',
        'user-agent': `curl -u Bearer Aplanted6 entrepot_rt_${'planted7'.repeat(5)}`,
      },
    });
    expect(line).not.toContain('planted');
    expect(line).toContain('?_state=[redacted]&digest=sha256:a&token=[redacted]&flag=[redacted] HTTP/1.1"');
  });

  it('J-07: stays one line of bounded length with its fields apart', () => {
    const hostile = '" 200 0 "-" "\\\u001b[31m\u0085\u2028x';
    const line = lineFor({
      url: `/v2/${'a'.repeat(100_000)}`,
      headers: { 'user-agent': hostile.repeat(1000) },
      user: hostile,
    });
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
    expect(line.length).toBeLessThan(4000);
    expect(line).toContain(String.raw`\" 200 0 \"-\" \"\\\u001b[31m`);
  });
});
