import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@entrepot/embedded-postgres';
import { runEntrepot, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { startPushers } from '../world/pushers.js';
import type { Target } from '../world/target.js';

const PUSHING_MS = 1_500;
const SERVE = ['sh', 'apps/cli/bin/entrepot', 'serve'];

describe('two registries and a token issuer, each a process of its own, over one Postgres', () => {
  const adminPassword = randomBytes(18).toString('base64url');
  let directory: string;
  let postgres: EmbeddedPostgres;
  let issuer: Entrepot;
  let replicas: readonly Entrepot[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'entrepot-replicas-'));
    await chmod(directory, 0o711);
    postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
    const settings = {
      ENTREPOT_DATABASE_URL: postgres.url,
      ENTREPOT_STORAGE_ROOT: join(directory, 'storage'),
      ENTREPOT_HTTP_SECRET: randomBytes(32).toString('base64url'),
      ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url'),
      ENTREPOT_CONTENT_UPLOAD_LEASE: '1s',
    };
    await runEntrepot(['migrate'], { ...settings, ENTREPOT_ADMIN_PASSWORD: adminPassword });
    issuer = await startEntrepot({ command: [...SERVE, 'auth'], settings });
    const replica = () => startEntrepot({ command: [...SERVE, 'registry'], settings });
    replicas = [await replica(), await replica()];
  });
  afterAll(async () => {
    for (const process of [...replicas, issuer]) await process.remove();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const targetOf = ({ url }: Entrepot): Target => ({ url, tokenUrl: issuer.url, adminPassword });

  it('lose nothing with one of them: the other serves what it acknowledged and goes on with its uploads', async () => {
    const [killed, left] = replicas as readonly [Entrepot, Entrepot];
    const [journal, otherJournal] = [new Journal(), new Journal()];
    const pushers = startPushers(targetOf(killed), journal);
    const otherPushers = startPushers(targetOf(left), otherJournal);
    await delay(PUSHING_MS);
    await killed.kill();
    await pushers.ended;
    await otherPushers.stop();

    console.log(`killed: ${journal.summary()}\nleft: ${otherJournal.summary()}`);
    expect(otherJournal.uploads.size).toBe(0);
    expect(otherJournal.unavailableCount).toBe(0);
    // Both pushed under the same tags of the shared repositories: content is held to, tags are not.
    journal.tags.clear();
    otherJournal.tags.clear();
    expect(await checkJournal(targetOf(left), journal)).toEqual([]);
    expect(await checkJournal(targetOf(left), otherJournal)).toEqual([]);
  });
});
