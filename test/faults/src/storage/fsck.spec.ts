import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlace, storageConfig, type ObjectPlace } from '@entrepot/blob-store';
import { START, put } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, contentOf, type Content, type Image } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob, pushImage } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

const REPOSITORY = 'admin/checked';
const SIZE_BYTES = 2 ** 20 + 1;

interface Finding {
  readonly kind: string;
  readonly digest?: string;
  readonly key?: string;
  readonly repositories: readonly string[];
  readonly repaired: boolean;
  readonly note: string;
}

describe.each(STORES)('fsck and sweeps over %s', (kind) => {
  let store: TestStore;
  let place: ObjectPlace;
  let replicas: Replicas;
  let registry: Entrepot;
  let client: RegistryClient;
  const journal = new Journal();

  beforeAll(async () => {
    store = await openTestStore(kind);
    const values = Object.entries(store.settings).map(([name, value]) => [camel(name), value] as const);
    const config = storageConfig.parse(Object.fromEntries(values));
    place = await openPlace(config.driver, config, '/nowhere');
    replicas = await startReplicas({ storage: store.settings, settings: { ENTREPOT_GC_SWEEP_AGE: '0s' } });
    registry = await replicas.start();
    await replicas.startJobrunner();
    client = connect(replicas.target(registry));
  });
  afterAll(async () => {
    client.close();
    await replicas.remove();
    await store.remove();
  });

  const bench = () => ({ client, journal, repository: REPOSITORY });

  async function fsck(...options: string[]): Promise<{ exitCode: number | null; findings: Finding[] }> {
    const { exitCode, output, complaint } = await replicas.attempt(['fsck', '--json', ...options]);
    expect(complaint).not.toContain('unexpected error');
    const lines = output.split('\n').filter((line) => line !== '');
    return { exitCode, findings: lines.map((line) => JSON.parse(line) as Finding) };
  }

  async function sweep(): Promise<Record<string, number>> {
    const printed = JSON.parse(await replicas.run(['job', 'run', 'sweep', '--wait', '--json']));
    return (printed as { result: Record<string, number> }).result;
  }

  /** In the same run, or by a review that was quicker. */
  const untilGone = (key: string) =>
    until(async () => !(await store.contents()).join('\n').includes(key), 'the stray to go');

  async function push(): Promise<Image> {
    const image = buildImage({ layers: [randomBytes(SIZE_BYTES), randomBytes(SIZE_BYTES)] });
    await pushImage(bench(), { image, tag: 'latest', way: 'whole' });
    return image;
  }

  async function keyOf({ digest }: Content): Promise<string> {
    const [row] = await replicas.query<{ object_key: string }>(
      `SELECT object_key FROM blob WHERE encode(substring(digest from 2), 'hex') = $1`,
      [digest.slice('sha256:'.length)],
    );
    return row?.object_key ?? '';
  }

  it('finds nothing in what is sound, and is clean', async () => {
    await push();
    expect(await fsck()).toEqual({ exitCode: 0, findings: [] });
    expect(await fsck('--deep')).toEqual({ exitCode: 0, findings: [] });
  });

  it('finds exactly what is wrong, mends it, and is clean then', async () => {
    const image = await push();
    const [first, second] = image.layers as [Content, Content];
    const lost = contentOf('application/octet-stream', randomBytes(1000));
    await pushBlob(bench(), lost, 'whole');
    const [lostKey, rottenKey, barenKey] = [await keyOf(lost), await keyOf(first), await keyOf(second)];
    await store.lose(lostKey);
    await store.lose(`${lostKey}.json`);
    await store.flipBit(rottenKey, 4711);
    await store.lose(`${barenKey}.json`);
    const stray = await put(place.store, [Buffer.from('stray')]);
    const writer = await place.store.write(place.store.newKey(), START);
    await writer.write(randomBytes(9 * 2 ** 20));
    await writer.suspend();
    await replicas.query('DELETE FROM link_review WHERE digest IN (SELECT digest FROM blob WHERE object_key = $1)', [
      lostKey,
    ]);

    const wrong = [
      { kind: 'link-unreferenced-without-review', digest: lost.digest, repositories: [REPOSITORY] },
      { kind: 'object-corrupt', digest: first.digest, key: rottenKey, repositories: [REPOSITORY] },
      { kind: 'object-missing', digest: lost.digest, key: lostKey, repositories: [REPOSITORY] },
      { kind: 'object-unknown', key: stray, repositories: [] },
      { kind: 'object-unknown', key: expect.not.stringMatching(stray), repositories: [] },
      { kind: 'record-missing', digest: second.digest, key: barenKey, repositories: [REPOSITORY] },
    ];
    const shallow = await fsck();
    expect(shallow.exitCode).toBe(1);
    expect(kindsOf(shallow)).toEqual(wrong.map((each) => each.kind).filter((each) => each !== 'object-corrupt'));
    const deep = await fsck('--deep');
    expect(kindsOf(deep)).toEqual(wrong.map((each) => each.kind));
    for (const each of wrong)
      expect(deep.findings).toContainEqual(expect.objectContaining({ ...each, repaired: false }));

    const repaired = await fsck('--deep', '--repair');
    expect(repaired.exitCode).toBe(1);
    expect(kindsOf(repaired)).toEqual(kindsOf(deep));
    expect(repaired.findings.every((finding) => finding.repaired)).toBe(true);
    const after = await fsck('--deep');
    expect(after.exitCode).toBe(1);
    expect(kindsOf(after)).toEqual(['object-corrupt', 'object-missing']);
    for (const { digest, repaired, note } of after.findings) {
      expect([lost.digest, first.digest]).toContain(digest);
      expect([repaired, note]).toEqual([false, expect.stringMatching(/^in quarantine since .*; push it again$/)]);
    }
    expect(await place.store.record(barenKey as Parameters<typeof place.store.record>[0])).toMatchObject({
      digest: second.digest,
    });

    expect(await sweep()).toMatchObject({ objectsDoomed: 2, quarantined: 0 });
    await untilGone(stray);
    for (const content of [lost, first]) {
      const path = `/v2/${REPOSITORY}/blobs/${content.digest}`;
      expect((await client.send({ method: 'HEAD', path })).status).toBe(404);
      await pushBlob(bench(), content, 'whole');
      expect((await client.send({ method: 'GET', path })).body.equals(content.bytes)).toBe(true);
    }
    expect(await fsck('--deep')).toEqual({ exitCode: 0, findings: [] });
  });

  it('is told by the second sweep that an object is a stray, and never of what is pushed meanwhile', async () => {
    const stray = await put(place.store, [Buffer.from('another stray')]);
    const pushing = (async () => {
      for (let count = 0; count < 12; count += 1) await push();
    })();
    const dry = JSON.parse(await replicas.run(['job', 'run', 'sweep', '--wait', '--json', '--dry-run']));
    expect(dry).toMatchObject({ result: { dryRun: true, newCandidates: 1, objectsDoomed: 0 } });
    expect(dry.log).toContainEqual(expect.stringMatching(`unknown ${stray}: no row knows it, 13 bytes, modified .*`));
    expect(await sweep()).toMatchObject({ newCandidates: 1, objectsDoomed: 0, missing: 0 });
    expect(await fsck()).toMatchObject({ findings: [] });
    expect((await store.contents()).join('\n')).toContain(stray);
    expect(await sweep()).toMatchObject({ objectsDoomed: 1, bytesDoomed: 13 });
    await untilGone(stray);
    await pushing;
    expect(await sweep()).toMatchObject({ unknownObjects: 0, missing: 0, short: 0, corrupt: 0 });
    expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
  });

  it('ends with 2 where it cannot look', async () => {
    const away =
      kind === 'filesystem'
        ? { ENTREPOT_STORAGE_ROOT: '/nowhere/at/all' }
        : { ENTREPOT_STORAGE_ENDPOINT: 'http://127.0.0.1:9' };
    const { exitCode, complaint } = await replicas.attempt(['fsck'], away);
    expect(exitCode).toBe(2);
    expect(complaint).toContain('could not look');
    const directory = await mkdtemp(join(tmpdir(), 'fsck-'));
    await mkdir(join(directory, 'objects'));
    const empty =
      kind === 'filesystem' ? { ENTREPOT_STORAGE_ROOT: directory } : { ENTREPOT_STORAGE_PREFIX: 'another-prefix' };
    const unmounted = await replicas.attempt(['fsck'], empty);
    expect(unmounted.exitCode).toBe(2);
    expect(unmounted.complaint).toMatch(/could not look at the store \w+: it shows none of \d+ objects/);
    await rm(directory, { recursive: true });
    const gone = await replicas.attempt(['fsck'], { ENTREPOT_DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing' });
    expect(gone.exitCode).toBe(2);
  });

  it.runIf(kind === 'filesystem')('says that the storage of the data directory is gone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fsck-'));
    const lost = await replicas.attempt(['fsck'], { ENTREPOT_STORAGE_ROOT: '', ENTREPOT_DATA_DIR: directory });
    expect(lost.exitCode).toBe(2);
    expect(lost.complaint).toContain(`in ${join(directory, 'storage', 'objects')}, which does not exist`);
    await rm(directory, { recursive: true });
  });

  it.runIf(kind === 'filesystem')('takes a file that is no object for a stray, whatever its name', async () => {
    const directory = join(store.settings['ENTREPOT_STORAGE_ROOT'] ?? '', 'objects', 'aa', 'bb');
    await mkdir(directory, { recursive: true });
    for (const name of ['stray-file', 'f'.repeat(32)]) await writeFile(join(directory, name), 'stray');
    const { exitCode, findings } = await fsck();
    expect([exitCode, findings.map((finding) => finding.kind)]).toEqual([1, ['object-unknown', 'object-unknown']]);
    for (const { note } of findings) expect(note).toContain('objects/aa/bb/');
    expect(await sweep()).toMatchObject({ newCandidates: 2, objectsDoomed: 0 });
    expect(await fsck()).toEqual({ exitCode: 0, findings: [] });
    expect(await sweep()).toMatchObject({ objectsDoomed: 2, bytesDoomed: 10 });
    await until(async () => (await readdir(directory)).length === 0, 'the strays to go');
    expect(await sweep()).toMatchObject({ unknownObjects: 0, objectsDoomed: 0 });
  });
});

function kindsOf({ findings }: { readonly findings: readonly Finding[] }): string[] {
  return findings.map(({ kind }) => kind).toSorted();
}

/** `ENTREPOT_STORAGE_ACCESS_KEY` → `accessKey`. */
function camel(name: string): string {
  const words = name.toLowerCase().replace('entrepot_storage_', '');
  return words.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
