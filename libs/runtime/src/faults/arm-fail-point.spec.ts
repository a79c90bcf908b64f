import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HttpConfig } from '../config/sections.js';
import { createLogger } from '../observe/logger.js';
import { armFailPoint } from './arm-fail-point.js';

const POINTS = ['a.b:after'];
const logger = createLogger({ level: 'warn', format: 'json' }, { service: 'test', destination: { write: () => {} } });

function arm(text: string | undefined, host = '127.0.0.1') {
  vi.stubEnv('ENTREPOT_TEST_FAIL_POINT', text);
  return armFailPoint(POINTS, { host } as HttpConfig, logger);
}

describe('a fail point', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is not there unless it was asked for', () => {
    expect(arm(undefined)).toBeUndefined();
    expect(arm('')).toBeUndefined();
  });

  it.each(['a.b:after', 'a.b:before=kill', 'a.b:after=explode', 'a.b:after=kill@x'])('refuses %j', (text) => {
    expect(() => arm(text)).toThrow(/POINT one of a\.b:after/);
  });

  it('refuses a registry that others can reach', () => {
    expect(() => arm('a.b:after=kill', '0.0.0.0')).toThrow(/no loopback address/);
  });

  it('lets every other point pass, and its own until its turn', async () => {
    const reached = arm('a.b:after=kill@3');
    await reached?.('a.b:before');
    await reached?.('a.b:after');
    await reached?.('a.b:after');
    expect(reached).toBeDefined();
  });
});
