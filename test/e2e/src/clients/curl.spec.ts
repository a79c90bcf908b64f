import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@entrepot/testkit/images';
import type { Account } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory } from '../world/layout.js';
import { mustRun } from '../world/run-command.js';

const BLOB_BYTES = 300_000;

describe.skipIf(isSkipped('curl', ['curl']))('curl', () => {
  const { url, alice, bob } = inject('world');
  let directory: string;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const curl = async (...args: string[]): Promise<string> =>
    (await mustRun(['curl', '--silent', '--show-error', '--max-time', '60', ...args], { directory })).stdout;
  /** Status, and the header asked for. */
  const ask = async (header: string, ...args: string[]): Promise<{ status: string; value: string }> => {
    const said = await curl('--output', 'body', '--write-out', `%{http_code} %header{${header}}`, ...args);
    return { status: said.slice(0, 3), value: said.slice(4) };
  };

  it('follows the challenge to a token', async () => {
    const { status, value } = await ask('www-authenticate', `${url}/v2/`);
    expect(status).toBe('401');
    const [, realm = ''] = /realm="([^"]+)"/.exec(value) ?? [];
    expect(realm).toBe(`${url}/auth/token`);
    const answer = await curl('--fail', ...userOf(alice), `${realm}?service=entrepot`);
    const { token } = JSON.parse(answer) as { token: string };
    expect((await ask('content-type', '--header', `Authorization: Bearer ${token}`, `${url}/v2/`)).status).toBe('200');
  });

  it('is let in by its password alone, and not by a wrong one', async () => {
    expect((await ask('content-type', ...userOf(alice), `${url}/v2/`)).status).toBe('200');
    const wrong = { name: alice.name, password: 'wrong-password' };
    expect((await ask('www-authenticate', ...userOf(wrong), `${url}/v2/`)).status).toBe('401');
    expect((await ask('www-authenticate', ...userOf(wrong), `${url}/auth/token?service=entrepot`)).status).toBe('401');
  });

  it('uploads a file, downloads it whole and in part, and is refused the blob as somebody else', async () => {
    const bytes = randomBytes(BLOB_BYTES);
    await writeFile(join(directory, 'blob'), bytes);
    const blobs = `${url}/v2/alice/curl/blobs`;
    const opened = await ask('location', ...userOf(alice), '--request', 'POST', `${blobs}/uploads/`);
    expect(opened.status).toBe('202');
    const location = new URL(opened.value.trim(), url);
    location.searchParams.set('digest', digestOf(bytes));
    const put = await ask('docker-content-digest', ...userOf(alice), '--upload-file', 'blob', location.href);
    expect(put).toEqual({ status: '201', value: digestOf(bytes) });

    const blob = `${blobs}/${digestOf(bytes)}`;
    await curl('--fail', ...userOf(alice), '--output', 'whole', blob);
    await mustRun(['cmp', 'blob', 'whole'], { directory });
    await curl('--fail', ...userOf(alice), '--range', '0-99999', '--output', 'part', blob);
    await curl('--fail', ...userOf(alice), '--continue-at', '100000', '--output', 'part', blob);
    await mustRun(['cmp', 'blob', 'part'], { directory });
    expect((await ask('www-authenticate', ...userOf(bob), blob)).status).toBe('401');
  });
});

function userOf({ name, password }: Account): string[] {
  return ['--user', `${name}:${password}`];
}
