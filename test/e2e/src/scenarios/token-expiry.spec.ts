import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { isSkipped } from '../world/find-tool.js';
import { mustRun } from '../world/run-command.js';

const POLL_MS = 1_000;
/** Granted to clocks that differ. */
const LEEWAY_MS = 60_000;
const SLACK_MS = 10_000;

describe.skipIf(isSkipped('curl', ['curl']))('a token', () => {
  const { url, firstToken } = inject('world');

  it('opens nothing any more when it has expired, and the answer says where to get another', async () => {
    const [, payload = ''] = firstToken.split('.');
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
    const ask = async () => {
      const request = ['--header', `Authorization: Bearer ${firstToken}`, `${url}/v2/alice/expiry/tags/list`];
      return (await mustRun(['curl', '--silent', '--include', ...request])).stdout;
    };
    let answer = await ask();
    while (!answer.includes('error="invalid_token"')) {
      expect(Date.now()).toBeLessThan(exp * 1_000 + LEEWAY_MS + SLACK_MS);
      await delay(POLL_MS);
      answer = await ask();
    }
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1_000);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain(`realm="${url}/auth/token"`);
  });
});
