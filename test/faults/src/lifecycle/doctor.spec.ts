import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSelfSigned } from '@entrepot/runtime/http/self-signed.suite';
import { attemptEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import { isS3ServerSkipped, newTestBucket } from '@entrepot/testkit/test-bucket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';

interface Finding {
  readonly check: string;
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly note: string;
  readonly advice?: string;
}

/** Something that is wrong, and what is to be found of it. */
interface Planted {
  readonly name: string;
  readonly found: Finding;
}

const CLOSED = '127.0.0.1:1';

/** A finding that says so, and what to do. */
function wrong(check: string, outcome: 'warn' | 'fail', note: RegExp): Finding {
  return {
    check,
    outcome,
    note: expect.stringMatching(note) as string,
    advice: expect.stringMatching(/\w/) as string,
  };
}

describe('entrepot doctor', () => {
  let replicas: Replicas;
  let jobrunner: Entrepot;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'entrepot-doctor-'));
    replicas = await startReplicas();
    const registry = await replicas.start();
    jobrunner = await replicas.startJobrunner();
    const client = connect(replicas.target(registry));
    const content = contentOf('application/octet-stream', randomBytes(1_000));
    await pushBlob({ client, journal: new Journal(), repository: 'admin/app' }, content, 'whole');
    client.close();
    await until(async () => (await look()).exitCode === 0, 'everything to be well');
  });
  afterAll(async () => {
    await replicas.remove();
    await rm(directory, { recursive: true, force: true });
  });

  async function look(settings: Readonly<Record<string, string>> = {}) {
    const { exitCode, output } = await replicas.attempt(['doctor', '--json'], settings);
    const { findings } = (output === '' ? { findings: [] } : JSON.parse(output)) as { findings: Finding[] };
    return { exitCode, findings, wrong: findings.filter(({ outcome }) => outcome !== 'ok') };
  }

  /** Does something to the database, looks, and undoes it. */
  async function lookWith(statement: string, undo: string) {
    await replicas.query(statement);
    try {
      return await look();
    } finally {
      await replicas.query(undo);
    }
  }

  it('finds nothing wrong with what is well, and says so in words', async () => {
    const { wrong: found, findings } = await look();
    expect(found).toEqual([]);
    const checks = new Set(findings.map(({ check }) => check));
    expect([...checks]).toEqual(['settings', 'database', 'clocks', 'storage', 'queues', 'token keys', 'work']);
    expect(await replicas.run(['doctor'])).toMatch(/^ok +settings +\d+ settings/);
  });

  it.each<Planted & { readonly settings: Readonly<Record<string, string>> }>([
    {
      name: 'an unknown setting',
      settings: { ENTREPOT_GC_GRCE: '1h' },
      found: wrong('settings', 'fail', /did you mean ENTREPOT_GC_GRACE/),
    },
    {
      name: 'an example as a secret',
      settings: { ENTREPOT_HTTP_SECRET: 'changeme'.repeat(5) },
      found: wrong('settings', 'fail', /HTTP_SECRET/),
    },
    {
      name: 'a grace of nothing',
      settings: { ENTREPOT_GC_GRACE: '0s' },
      found: wrong('settings', 'warn', /GC_GRACE is 0s/),
    },
    {
      name: 'a Redis that is away',
      settings: { ENTREPOT_REDIS_URL: `redis://${CLOSED}` },
      found: wrong('queues', 'warn', /Redis/),
    },
    {
      name: 'another secrets key',
      settings: { ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url') },
      found: wrong('token keys', 'fail', /cannot be opened/),
    },
    {
      name: 'a database that is away',
      settings: { ENTREPOT_DATABASE_URL: `postgres://x@${CLOSED}/x` },
      found: wrong('database', 'fail', /cannot be used/),
    },
    {
      name: 'a read replica that is away',
      settings: { ENTREPOT_DATABASE_READ_URL: `postgres://x@${CLOSED}/x` },
      found: wrong('read replica', 'warn', /does not answer/),
    },
    {
      name: 'a store that is away',
      settings: { ENTREPOT_STORAGE_ROOT: '/proc/entrepot' },
      found: wrong('storage', 'fail', /filesystem/),
    },
  ])('finds $name', async ({ settings, found }) => {
    const { wrong: all, exitCode } = await look(settings);
    expect(all).toContainEqual(found);
    expect(exitCode).toBe(found.outcome === 'fail' ? 1 : 0);
  });

  it('finds a certificate that expired, and a key that is not its own', async () => {
    const { certificate } = makeSelfSigned('registry', '20240101000000Z');
    const [certificatePath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    await writeFile(certificatePath, certificate);
    await writeFile(keyPath, makeSelfSigned('other').key);
    const settings = { ENTREPOT_HTTP_TLS_CERTIFICATE: certificatePath, ENTREPOT_HTTP_TLS_KEY: keyPath };
    const found = await look(settings);
    expect(found.wrong).toEqual([
      wrong('certificates', 'fail', /expired on 2024-01-01/),
      wrong('certificates', 'fail', /is not the key of/),
    ]);
  });

  it.each<Planted & { readonly plant: string; readonly remove: string }>([
    {
      name: 'a blob in quarantine',
      plant: `UPDATE blob SET fault = 'missing', fault_at = now()`,
      remove: 'UPDATE blob SET fault = NULL, fault_at = NULL',
      found: wrong('work', 'fail', /1 blob is in quarantine: sha256:[0-9a-f]{64} missing/),
    },
    {
      name: 'an object that a blob needs and that is doomed',
      plant: `INSERT INTO doomed_object (object_key, reason, due_at)
        SELECT object_key, 'planted', now() + interval '1 hour' FROM blob LIMIT 1`,
      remove: `DELETE FROM doomed_object WHERE reason = 'planted'`,
      found: wrong('database', 'fail', /no object that a blob needs is doomed: sha256/),
    },
    {
      name: 'a constraint that was never validated',
      plant: 'ALTER TABLE blob ADD CONSTRAINT planted CHECK (size_bytes < 0) NOT VALID',
      remove: 'ALTER TABLE blob DROP CONSTRAINT planted',
      found: wrong('database', 'fail', /blob\.planted/),
    },
    {
      name: 'an index that is not whole',
      plant: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tag_manifest_idx'::regclass`,
      remove: `UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'tag_manifest_idx'::regclass`,
      found: wrong('database', 'fail', /tag_manifest_idx/),
    },
    {
      name: 'a migration that is missing',
      plant: `UPDATE schema_migration SET name = 'x' || name WHERE name = '0014_quarantine'`,
      remove: `UPDATE schema_migration SET name = '0014_quarantine' WHERE name = 'x0014_quarantine'`,
      found: wrong('database', 'fail', /lacks 0014_quarantine/),
    },
    {
      name: 'objects in a store that has no settings',
      plant: `UPDATE blob SET object_key = 's3-' || object_key`,
      remove: 'UPDATE blob SET object_key = substring(object_key FROM 4)',
      found: wrong('storage', 'fail', /store that has no settings/),
    },
    {
      name: 'the recovery log of another database',
      plant: `UPDATE recovery_state SET driver = NULL, log_id = reverse(replace(log_id::text, '-', ''))::uuid`,
      remove: `UPDATE recovery_state SET driver = 'filesystem', log_id = reverse(replace(log_id::text, '-', ''))::uuid`,
      found: wrong('storage', 'fail', /holds the recovery log of another database/),
    },
  ])('finds $name', async ({ plant, remove, found }) => {
    const { wrong: all, exitCode } = await lookWith(plant, remove);
    expect(all).toContainEqual(found);
    expect(exitCode).toBe(1);
  });

  it('finds that nobody works in the background, once it is so', async () => {
    await jobrunner.stop();
    const found = await look();
    expect(found.wrong).toContainEqual(wrong('work', 'warn', /no jobrunner is alive/));
    expect(found.exitCode).toBe(0);
  });

  it.skipIf(isS3ServerSkipped('versitygw'))('looks at a bucket, and finds one that is missing', async () => {
    const bucket = await newTestBucket('versitygw');
    const noted = (await look(s3Settings(bucket))).findings.map(({ check, note }) => `${check}: ${note}`);
    expect(noted).toContainEqual(expect.stringMatching(/^storage: s3: .* can be written and read/));
    expect(noted).toContainEqual(expect.stringMatching(/^clocks: the clock of the store s3 agrees/));
    const missing = await look(s3Settings({ ...bucket, bucket: 'nowhere' }));
    expect(missing.wrong).toContainEqual(wrong('storage', 'fail', /there is no such bucket/));
  });

  it('cannot look where there is nothing', async () => {
    const { exitCode, complaint } = await attemptEntrepot(['doctor'], {
      ENTREPOT_DATA_DIR: join(directory, 'nothing'),
    });
    expect(exitCode).toBe(2);
    expect(complaint).toContain('there is no Entrepot');
  });
});
