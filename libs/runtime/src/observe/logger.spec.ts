import { RegistryError } from '@entrepot/oci';
import { describe, expect, it } from 'vitest';
import type { LogConfig } from '../config/sections.js';
import { Secret } from '../config/secret.js';
import { createLogger } from './logger.js';
import type { Logger } from './logger.js';
import { createNestLog } from './nest-log.js';

function openLog(config: Partial<LogConfig> = {}): {
  logger: Logger;
  text(): string;
  entries(): Record<string, unknown>[];
} {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'debug', format: 'json', ...config }, { service: 'registry', destination });
  return {
    logger,
    text: () => lines.join(''),
    entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('createLogger', () => {
  it('writes one JSON object per line, with level, time and service', () => {
    const { logger, entries } = openLog();
    logger.info({ port: 5000 }, 'listening');
    expect(entries()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), service: 'registry', port: 5000, msg: 'listening' },
    ]);
  });

  it('J-07: keeps text of a client on one line, without controls, and short', () => {
    const { logger, text, entries } = openLog();
    const hostile = 'a\r\n{"level":"fatal"}\u001b[31m\u009b31m\u2028\u2029\u202e\u007f\0"\\';
    logger.warn({ agent: hostile, long: 'x'.repeat(1_000_000), [hostile]: 1 }, hostile);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(text().slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
    expect(entries()[0]?.['agent']).toBe(hostile);
    expect(text().length).toBeLessThan(5000);
  });

  it('L-02: writes no secret, wherever it comes along', () => {
    const { logger, text } = openLog();
    const planted = 'Pl4ntedSecretValue';
    const token = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIifQ.${planted}`;
    logger.error(
      {
        authorization: `Bearer ${planted}`,
        headers: { Authorization: `Basic ${planted}=`, cookie: planted, 'x-other': `Bearer ${planted}` },
        nested: { list: [{ password: planted, access_token: planted, clientSecret: planted, refreshToken: planted }] },
        secret: new Secret(planted),
        url: `/v2/a/blobs/uploads/1?_state=${planted}&digest=sha256:a`,
        err: new Error(`cannot reach postgres://entrepot:${planted}@db/entrepot`, {
          cause: new Error(`refused Basic dXNlcjpQ${planted} and ${token}`),
        }),
      },
      `got Bearer ${planted} and ${token}`,
    );
    expect(text()).not.toContain(planted);
    expect(text()).toContain('postgres://[redacted]@db/entrepot');
    expect(text()).toContain('digest=sha256:a');
  });

  it('leaves ordinary words alone', () => {
    const { logger, text } = openLog();
    logger.info('basic authentication and bearer tokens are accepted at https://registry.test:5000/auth');
    expect(text()).not.toContain('[redacted]');
  });

  it('writes the causes of an error', () => {
    const { logger, entries } = openLog();
    const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    logger.error({ err: new RegistryError('UNAVAILABLE', { cause }) }, 'failed');
    expect(entries()[0]?.['err']).toMatchObject({ type: 'RegistryError', code: 'UNAVAILABLE' });
    expect(JSON.stringify(entries()[0])).toContain('connection refused');
  });

  it('writes lines for a terminal when asked', () => {
    const { logger, text } = openLog({ format: 'pretty' });
    logger.warn({ port: 5000, agent: '\u001b[31m', err: new Error('broken') }, 'late');
    expect(text()).toMatch(
      /^\d\d:\d\d:\d\d warn {2}registry: late port=5000 agent="\\u001b\[31m"\n {4}Error: broken\n/,
    );
    expect(text()).not.toContain('\u001b');
  });

  it('keeps Nest’s own messages at debug', () => {
    const { logger, entries } = openLog();
    const nest = createNestLog(logger);
    nest.log('Nest application started', 'NestApplication');
    nest.error(new Error('broken'), 'stack', 'ExceptionsHandler');
    expect(entries()).toMatchObject([
      { level: 'debug', context: 'NestApplication', msg: 'Nest application started' },
      { level: 'error', context: 'ExceptionsHandler', msg: 'broken', err: { message: 'broken' } },
    ]);
  });
});
