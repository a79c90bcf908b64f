import { describe, expect, it } from 'vitest';
import { parseAnswer } from './parse-answer.js';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';

describe('parseAnswer', () => {
  it('reads an answer of known length and leaves what follows', () => {
    const whole = 'HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: b: c\r\n\r\nok';
    const parsed = parseAnswer(Buffer.from(`${whole}HTTP/1.1`), true);
    expect(parsed?.answer.status).toBe(201);
    expect(parsed?.answer.headers.get('x-a')).toBe('b: c');
    expect(parsed?.answer.body.toString()).toBe('ok');
    expect(parsed?.sizeBytes).toBe(whole.length);
  });

  it('joins the chunks of a chunked body', () => {
    const parsed = parseAnswer(Buffer.from(CHUNKED), true);
    expect(parsed?.answer.body.toString()).toBe('abcde');
    expect(parsed?.sizeBytes).toBe(CHUNKED.length);
  });

  it('waits at every cut but the last', () => {
    for (const whole of [CHUNKED, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc']) {
      for (let cut = 0; cut < whole.length; cut++) {
        expect(parseAnswer(Buffer.from(whole.slice(0, cut)), true)).toBeUndefined();
      }
    }
  });

  it('expects no body after HEAD, 204 and 304, and skips interim answers', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n';
    expect(parseAnswer(Buffer.from(head), false)?.sizeBytes).toBe(head.length);
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n';
    expect(parseAnswer(Buffer.from(interim), true)).toMatchObject({
      answer: { status: 204 },
      sizeBytes: interim.length,
    });
  });

  it('refuses what is no answer and what would end with the connection only', () => {
    expect(() => parseAnswer(Buffer.from('SSH-2.0-x\r\n\r\n'), true)).toThrow(/not an HTTP/);
    expect(() => parseAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), true)).toThrow(/where it ends/);
  });
});
