import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '@entrepot/testkit/entrepot';

/** The command as a user runs it. */
const COMMAND = fileURLToPath(new URL('../../../../apps/cli/bin/entrepot', import.meta.url));
const STRONG = 'rD7kW2mQ9xV4bN6tZ1cY8hJ3';

let directory: string;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the `entrepot` command to its end. */
async function run(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, ENTREPOT_DATA_DIR: join(directory, 'data'), ...settings };
  const child = spawn('sh', [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: out + err };
}

describe('Q: deployment', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'entrepot-attacks-q-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const weak: [variable: string, value: string][] = [
    ['ENTREPOT_HTTP_SECRET', ''],
    ['ENTREPOT_HTTP_SECRET', ' '],
    ['ENTREPOT_HTTP_SECRET', 'x'],
    ['ENTREPOT_HTTP_SECRET', 'a'.repeat(31)],
    ['ENTREPOT_HTTP_SECRET', ' '.repeat(40)],
    ['ENTREPOT_HTTP_SECRET', 'a'.repeat(40)],
    ['ENTREPOT_HTTP_SECRET', 'changeme'.repeat(5)],
    ['ENTREPOT_HTTP_SECRET', `${STRONG}${STRONG},short`],
    ['ENTREPOT_HTTP_SECRET', `${STRONG}${STRONG},`],
    ['ENTREPOT_SECRETS_KEY', 'x'],
    ['ENTREPOT_SECRETS_KEY', '0'.repeat(64)],
    ['ENTREPOT_ADMIN_PASSWORD', ''],
    ['ENTREPOT_ADMIN_PASSWORD', 'x'],
    ['ENTREPOT_ADMIN_PASSWORD', ' '.repeat(20)],
  ];
  it.each(weak)('Q-01: %s=%j stops the start and is named, without its value', async (variable, value) => {
    const settings = { ENTREPOT_HTTP_PORT: String(await findFreePort()), ENTREPOT_OPS_PORT: '0', [variable]: value };
    // The settings are all that is looked at; a start that goes on regardless would not end.
    const { code, output } = await run(['config', 'show'], settings);
    expect(code).not.toBe(0);
    expect(output).toContain(variable);
    expect(value.trim().length > 4 && output.includes(value.trim())).toBe(false);
  });

  it('Q-01: a service of its own does not start without its secrets', async () => {
    for (const service of ['registry', 'auth']) {
      const { code, output } = await run(['serve', service], { ENTREPOT_DATABASE_URL: 'postgres://localhost:1/none' });
      expect(code).not.toBe(0);
      expect(output).toContain(service === 'registry' ? 'ENTREPOT_HTTP_SECRET' : 'ENTREPOT_SECRETS_KEY');
    }
  });

  it('Q-01: a secret in a file counts as one, and a missing file is named', async () => {
    const path = join(directory, 'secret');
    await writeFile(path, 'short\n');
    const short = await run(['config', 'show'], { ENTREPOT_HTTP_SECRET_FILE: path });
    expect([short.code === 0, short.output.includes('ENTREPOT_HTTP_SECRET')]).toEqual([false, true]);
    const missing = await run(['config', 'show'], { ENTREPOT_HTTP_SECRET_FILE: `${path}-missing` });
    expect([missing.code === 0, missing.output.includes('ENTREPOT_HTTP_SECRET_FILE')]).toEqual([false, true]);
  });

  it('L-02: the settings that are shown, and what is said of wrong ones, hold no secret', async () => {
    const settings = {
      ENTREPOT_HTTP_SECRET: `${STRONG}-one-${STRONG}`,
      ENTREPOT_SECRETS_KEY: `${STRONG}-two-${STRONG}`,
      ENTREPOT_ADMIN_PASSWORD: `${STRONG}-three`,
      ENTREPOT_DATABASE_URL: `postgres://entrepot:${STRONG}@127.0.0.1:1/entrepot`,
      ENTREPOT_REDIS_URL: `redis://:${STRONG}@127.0.0.1:1`,
    };
    const shown = await run(['config', 'show'], settings);
    expect(shown.code).toBe(0);
    expect(shown.output).toContain('ENTREPOT_DATABASE_URL');
    const json = await run(['config', 'show', '--json'], settings);
    const unknown = await run(['config', 'show'], { ...settings, ENTREPOT_HTTP_SECRETS: STRONG });
    expect(unknown.code).not.toBe(0);
    expect(unknown.output).toContain('ENTREPOT_HTTP_SECRET');
    const unreachable = await run(['serve', 'registry'], settings);
    expect(unreachable.code).not.toBe(0);
    for (const { output } of [shown, json, unknown, unreachable]) expect(output).not.toContain(STRONG);
  });
});
