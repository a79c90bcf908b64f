import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { killProcesses, signalProcess, type ProcessSet } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../world/target.js';

const COMMAND = fileURLToPath(new URL('../../../../apps/cli/bin/entrepot', import.meta.url));
const PASSWORD = 'chosen-before-the-first-start';
/** From the check of the settings over the making of the database and the migrations to just before it is ready. */
const KILLED_AFTER_MS = [600, 700, 800, 900, 1_000, 1_200, 1_400, 1_700, 2_000, 2_500];

describe('first starts that are killed at any moment', () => {
  let directory: string;
  let product: Entrepot | undefined;
  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'entrepot-killed-')));
    await chmod(directory, 0o711);
  });
  afterAll(async () => {
    await product?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  it('leave nothing that keeps the next one from being ready', async () => {
    const dataDirectory = join(directory, 'data');
    for (const [round, afterMs] of KILLED_AFTER_MS.entries()) {
      const start = await beginStart(dataDirectory);
      await delay(afterMs);
      // The programs of Postgres are in groups of their own: in every other round they outlive Node.
      signalProcess(-start.groupId, 'SIGKILL');
      if (round % 2 === 0) await killProcesses(start);
    }
    product = await startEntrepot({ dataDirectory, settings: { ENTREPOT_ADMIN_PASSWORD: PASSWORD } });
    const client = connect({ url: product.url, adminPassword: PASSWORD });
    expect((await client.send({ method: 'GET', path: '/v2/' })).status).toBe(200);
    client.close();
  });
});

async function beginStart(dataDirectory: string): Promise<ProcessSet> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('sh', [COMMAND, 'start'], {
    env: {
      PATH,
      HOME,
      ENTREPOT_DATA_DIR: dataDirectory,
      ENTREPOT_HTTP_PORT: '0',
      ENTREPOT_OPS_PORT: '0',
      ENTREPOT_ADMIN_PASSWORD: PASSWORD,
    },
    stdio: 'ignore',
    detached: true,
  });
  await once(child, 'spawn');
  return { groupId: child.pid ?? Number.NaN, directory: dataDirectory };
}
