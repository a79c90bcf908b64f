import { createHash, randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { MemoryRecoveryLog } from '@entrepot/blob-store';
import {
  deleteTag,
  hasLosses,
  isForeignLog,
  readRecoveryLog,
  rebuild,
  relayRecovery,
  tendRecoveryLog,
  type DrawnRecords,
  type ObjectKey,
  type RebuildReport,
  type RecoveryLog,
  type RecoveryName,
  type RecoveryRoom,
  type RecoverySource,
} from '@entrepot/content';
import { parseTag } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf, indexOf } from '../content/content-world.suite.js';
import {
  PostgresRecoverySource,
  checkInvariants,
  createPool,
  findOccupants,
  migrate,
  rebuildInto,
  usageDifferences,
} from '../index.js';

const GRACE_MS = 60_000;
const { signal } = new AbortController();

/** What clients see, and what garbage collection goes by, by names that both databases share. */
const STATE = `
  SELECT 'namespace' AS kind, n.name AS a, n.kind AS b, n.default_visibility AS c, n.untagged AS d FROM namespace n
  UNION ALL SELECT 'repository', r.name, r.visibility, r.deleted_name, r.id::text FROM repository r
  UNION ALL SELECT 'manifest', r.name, m.digest::text, concat_ws(' ', m.media_type, m.artifact_type, m.subject_digest,
    m.annotations, m.deleted_at), m.payload::text FROM manifest m JOIN repository r ON r.id = m.repository_id
  UNION ALL SELECT 'tag', r.name, t.name, m.digest::text, '' FROM tag t JOIN manifest m ON m.id = t.manifest_id
    JOIN repository r ON r.id = t.repository_id
  UNION ALL SELECT 'blob', m.digest::text, b.digest::text, b.size_bytes::text, ''
    FROM manifest_blob b JOIN manifest m ON m.id = b.manifest_id
  UNION ALL SELECT 'child', p.digest::text, c.digest::text, '', ''
    FROM manifest_child mc JOIN manifest p ON p.id = mc.parent_id JOIN manifest c ON c.id = mc.child_id
  UNION ALL SELECT 'sparse', m.digest::text, s.digest::text, s.kind, s.size_bytes::text
    FROM sparse_reference s JOIN manifest m ON m.id = s.manifest_id
  ORDER BY 1, 2, 3, 4, 5`;

const EMPTY = `
  TRUNCATE namespace, blob, blob_review, doomed_object, manifest_use, usage_repository, usage_namespace,
    usage_namespace_blob, usage_link_delta, usage_store_delta, usage_delta, usage_repository_mark CASCADE;
  UPDATE usage_total SET blobs = 0, blob_bytes = 0`;

/** What must hold in any database holds, and what is stored is counted as if it had been pushed. */
async function expectSound(url: string): Promise<void> {
  const pool = createPool({ url, role: 'owner', poolSize: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 });
  try {
    expect(await usageDifferences(pool)).toEqual([]);
    for (const report of await checkInvariants(pool, 10_000))
      expect(report).toMatchObject({ outcome: 'held', examples: [] });
  } finally {
    await pool.end();
  }
}

async function rowsOf(url: string, query: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(query, values)).rows;
  } finally {
    await client.end();
  }
}

describe('the recovery log', () => {
  const database = withTestDatabase({ prepare: (url) => migrate(url) });
  const other = withTestDatabase({ prepare: (url) => migrate(url) });
  let world: ContentWorld;
  let log: RecoveryLog;
  let room: RecoveryRoom;

  const roomOf = (driver: string, its: RecoveryLog): RecoveryRoom => ({
    source: new PostgresRecoverySource(world.pool),
    log: its,
    lease: { leaseId: randomUUID(), driver },
  });

  beforeAll(async () => {
    world = new ContentWorld(database.url);
    await world.open();
    log = new MemoryRecoveryLog();
    room = roomOf('memory', log);
  });
  afterAll(() => world.close());

  const marks = () => world.owner.query('SELECT kind FROM recovery_mark ORDER BY id').then(({ rows }) => rows);

  /** Rebuilds into the second database, which is empty again afterwards. */
  async function rebuilt(from: RecoveryLog): Promise<{ report: RebuildReport; state: unknown[] }> {
    let report: RebuildReport | undefined;
    const done = await rebuildInto(other.url, async (target) => {
      report = await rebuild({ log: from, store: world.store, target, graceMs: GRACE_MS, onProgress: () => undefined });
      return true;
    });
    expect(done).toBe(true);
    const state = await rowsOf(other.url, STATE);
    await expectSound(other.url);
    await rowsOf(other.url, EMPTY);
    if (report === undefined) throw new Error('no report');
    return { report, state };
  }

  const stateNow = () => rowsOf(database.url, STATE);

  it('begins with a snapshot of all that is there', async () => {
    const image = imageOf([[await world.pushBlob('config'), 6]]);
    await world.put(image, ['before']);
    expect(await relayRecovery(room)).toBe('elsewhere');
    expect(await tendRecoveryLog(room, { isFirst: false, signal })).toBe('whole');
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('written');
    expect(await marks()).toEqual([]);
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('whole');
    const { report, state } = await rebuilt(log);
    expect(hasLosses(report)).toBe(false);
    expect(state).toEqual(await stateNow());
  });

  it('follows every change: indexes, referrers, sparse manifests, tags, deletions, visibility', async () => {
    const [config, layer] = [await world.pushBlob('config of two'), await world.pushBlob('layer')];
    const images = [
      imageOf([
        [config, 13],
        [layer, 5],
      ]),
      imageOf([[config, 13]]),
    ] as const;
    for (const image of images) await world.put(image);
    const index = indexOf(...images);
    await world.put(index, ['stays', 'moves', 'goes']);
    const referrer = imageOf([[config, 13]], index);
    await world.put(referrer);
    const absent = imageOf([[layer, 5]]);
    const sparse = indexOf(images[0], absent);
    await world.put(sparse, ['sparse'], 'indexes');
    await world.put(images[1], ['moves']);
    await deleteTag(world.work, world.removal, parseTag('goes'));
    await world.owner.query(`UPDATE repository SET visibility = 'public' WHERE id = $1`, [world.repositoryId]);
    await world.owner.query(`UPDATE namespace SET default_visibility = 'public', untagged = '5d'`);
    await world.owner.query(
      'UPDATE manifest SET deleted_at = now(), deleted_by = $1 WHERE subject_digest IS NOT NULL',
      ['somebody'],
    );
    await world.newRepository('second');
    const third = await world.newRepository('third');
    await world.owner.query('DELETE FROM repository WHERE id = $1', [third]);
    expect(await relayRecovery(room)).toBe('done');
    expect(await marks()).toEqual([]);
    const { report, state } = await rebuilt(log);
    expect(report).toMatchObject({ faults: [], refused: [], missing: [], lostTags: [] });
    expect(state).toEqual(await stateNow());

    // What came later is no more awaited.
    await world.put(absent);
    expect((await marks()).filter(({ kind }) => kind === 'manifest')).toHaveLength(2);
    await relayRecovery(room);
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('marks only what it says', async () => {
    await relayRecovery(room);
    await world.owner.query('UPDATE manifest SET pushed_at = now()');
    await world.owner.query('UPDATE repository SET access_version = access_version + 1');
    await world.owner.query('UPDATE tag SET updated_at = now()');
    expect(await marks()).toEqual([]);
  });

  it('repeats what was written and not settled, and a late writer loses', async () => {
    const [one, two] = [imageOf([[await world.pushBlob('a'), 1]]), imageOf([[await world.pushBlob('b'), 1]])];
    await world.put(one, ['late']);
    const { source, lease } = room;
    await source.lease(lease, 10);
    const drawn = await source.draw(lease, { records: 100, payloadBytes: 1_000_000 });
    await world.put(two, ['late']);
    // Another process, once the lease is over.
    const next = roomOf('memory', log);
    while ((await relayRecovery(next)) === 'busy');
    const behind: RecoveryRoom = { ...room, source: withDrawn(source, drawn) };
    await relayRecovery(behind);
    await relayRecovery(next);
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('is cut into segments that count together', async () => {
    await relayRecovery(room);
    const images = await Promise.all(
      ['x', 'y', 'z'].map(async (content) => imageOf([[await world.pushBlob(content), 1]])),
    );
    for (const image of images) await world.put(image);
    await world.put(indexOf(...images), ['cut']);
    const before = await stateNow();
    const { source, lease } = room;
    await source.lease(lease, 60_000);
    const first = await source.draw(lease, { records: 2, payloadBytes: 1_000_000 });
    const second = await source.draw(lease, { records: 100, payloadBytes: 1 });
    await source.release(lease);
    expect([first?.records.length, first?.hasMore]).toEqual([2, true]);
    expect([second?.records.length, second?.hasMore]).toEqual([1, true]);
    await relayRecovery(room);
    expect((await rebuilt(log)).state).toEqual(before);
  });

  it('is compacted, and what was replaced goes', async () => {
    await world.owner.query('UPDATE recovery_state SET segment_count = 20000');
    expect(await tendRecoveryLog(room, { isFirst: false, signal })).toBe('written');
    const names = await log.list();
    expect(names.filter((name) => name.includes('snapshot'))).toHaveLength(1);
    expect(new Set(names.map((name) => name.slice(0, 16))).size).toBe(1);
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('is whole after a crash at any step of a compaction', async () => {
    await relayRecovery(room);
    let step = 0;
    for (let isDone = false; !isDone; step += 1) {
      await world.newRepository(`during-${step}`);
      await relayRecovery(room);
      const expected = await stateNow();
      await world.owner.query('UPDATE recovery_state SET segment_count = 20000');
      const failing = { ...room, log: failingAt(log, step) };
      isDone = await tendRecoveryLog(failing, { isFirst: false, signal }).then(
        () => true,
        () => false,
      );
      expect((await rebuilt(log)).state).toEqual(expected);
    }
    expect(step).toBeGreaterThan(8);
  });

  it('moves to another store, and back', async () => {
    const elsewhere = new MemoryRecoveryLog();
    const moved = roomOf('other', elsewhere);
    await world.newRepository('moved');
    expect(await relayRecovery(moved)).toBe('elsewhere');
    expect(await tendRecoveryLog(moved, { isFirst: true, signal })).toBe('written');
    expect(await relayRecovery(room)).toBe('done');
    await world.newRepository('moved-again');
    expect(await relayRecovery(room)).toBe('elsewhere');
    expect(await relayRecovery(moved)).toBe('done');
    expect((await rebuilt(elsewhere)).state).toEqual(await stateNow());
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('written');
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('of another database is left alone, until a rebuild has read it', async () => {
    await relayRecovery(room);
    const before = await log.list();
    const [{ log_id: logId } = {}] = await rowsOf(database.url, 'SELECT log_id FROM recovery_state');
    await world.owner.query('UPDATE recovery_state SET log_id = gen_random_uuid(), driver = NULL');
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('foreign');
    expect(await room.source.hasLog()).toBe(false);
    const position = await new PostgresRecoverySource(world.pool).position();
    expect(position && (await isForeignLog(log, position))).toBe(true);
    expect(await isForeignLog(log, { logId: String(logId) })).toBe(false);
    expect(await log.list()).toEqual(before);
    await rebuilt(log);
    expect(await rowsOf(other.url, 'SELECT log_id FROM recovery_state')).toEqual([{ log_id: logId }]);
    await world.owner.query('UPDATE recovery_state SET log_id = $1', [logId]);
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('written');
  });

  it('is written anew where the database was restored from a backup', async () => {
    await world.owner.query('UPDATE recovery_state SET last_number = 1, written_number = 1');
    await world.newRepository('after-the-restore');
    expect(await tendRecoveryLog(room, { isFirst: true, signal })).toBe('written');
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('names documents that are torn, foreign or missing', async () => {
    const names: RecoveryName[] = [];
    for (const content of ['torn', 'foreign', 'gone', 'whole']) {
      await world.put(imageOf([[await world.pushBlob(content), content.length]]), [content]);
      await relayRecovery(room);
      names.push((await log.list()).at(-1) as RecoveryName);
    }
    const [torn, foreign, gone] = names as [RecoveryName, RecoveryName, RecoveryName];
    const bytes = (await log.read(torn)) ?? new Uint8Array();
    await log.append(torn, bytes.subarray(0, bytes.length - 20));
    await log.append(foreign, asForeign((await log.read(foreign)) ?? bytes));
    await log.remove(gone);
    const { faults } = await readRecoveryLog(log, async () => undefined);
    expect(faults.map(({ document }) => document)).toEqual([torn, foreign, gone]);
    const { report, state } = await rebuilt(log);
    expect(hasLosses(report)).toBe(true);
    expect(state).toHaveLength((await stateNow()).length - 9);
    expect(await tendRecoveryLog(roomOf('anew', log), { isFirst: true, signal })).toBe('written');
    expect((await rebuilt(log)).state).toEqual(await stateNow());
  });

  it('names parts of a snapshot that were changed or removed', async () => {
    const part = (await log.list()).find((name) => name.includes('-part-')) as RecoveryName;
    const bytes = (await log.read(part)) ?? new Uint8Array();
    const faults = async () => (await readRecoveryLog(log, async () => undefined)).faults;
    expect(await faults()).toEqual([]);
    await log.append(part, asForeign(bytes));
    expect(await faults()).toEqual([{ document: part, reason: 'it was changed' }]);
    await log.remove(part);
    expect((await faults())[0]).toMatchObject({ reason: `its part ${part} is missing` });
    expect((await faults())[1]).toMatchObject({ document: 'snapshot' });
    await log.append(part, bytes);
  });

  it('names what the store has lost, which a push heals', async () => {
    const lost = await world.pushBlob('lost');
    await world.put(imageOf([[lost, 4]]), ['holed']);
    await relayRecovery(roomOf('anew', log));
    const [row] = await rowsOf(database.url, `SELECT object_key FROM blob WHERE size_bytes = 4 AND digest = $1`, [
      Buffer.from(`01${lost.slice(7)}`, 'hex'),
    ]);
    await world.store.remove(row?.['object_key'] as ObjectKey);
    const { report, state } = await rebuilt(log);
    expect(report.missing).toMatchObject([{ digest: lost, kind: 'blob', fault: 'missing' }]);
    expect(report.lostTags).toEqual([]);
    expect(state).toEqual(await stateNow());
  });

  it('gives a name to the latest of those that had it, where the end of the former is damaged', async () => {
    const fresh = new MemoryRecoveryLog();
    const its = roomOf('fresh', fresh);
    const relayed = async (): Promise<RecoveryName> => {
      expect(await relayRecovery(its)).toBe('done');
      return (await fresh.list()).at(-1) as RecoveryName;
    };
    const addOwned = (name: string) =>
      world.owner.query(
        `WITH owner AS (
           INSERT INTO namespace (id, name, kind) VALUES (gen_random_uuid(), 'group', 'organisation') RETURNING id)
         INSERT INTO repository (id, namespace_id, name, visibility)
         SELECT gen_random_uuid(), id, $1, 'private' FROM owner`,
        [name],
      );
    const former = await world.newRepository('twice');
    const main = world.repositoryId;
    world.repositoryId = former;
    await world.put(imageOf([[await world.pushBlob('of the former'), 13]]), ['latest']);
    world.repositoryId = main;
    await addOwned('group/former');
    await world.newRepository('soft');
    expect(await tendRecoveryLog(its, { isFirst: true, signal })).toBe('written');

    await world.owner.query(
      `UPDATE repository SET name = name || '@' || id, deleted_name = name, deleted_at = now() WHERE id = $1`,
      [former],
    );
    await world.owner.query(`DELETE FROM repository WHERE name = 'group/former'`);
    await world.owner.query(`DELETE FROM namespace WHERE name = 'group'`);
    const ends = await relayed();
    await world.newRepository('twice');
    await addOwned('group/later');
    await world.owner.query(
      `UPDATE repository SET name = name || '@' || id, deleted_name = name, deleted_at = now() WHERE name LIKE '%/soft'`,
    );
    await relayed();
    expect((await rebuilt(fresh)).report.lostRepositories).toEqual([]);
    await fresh.append(ends, Buffer.from('damaged'));

    const { report, state } = await rebuilt(fresh);
    expect(report.lostRepositories.toSorted((a, b) => a.reason.localeCompare(b.reason))).toMatchObject([
      { repository: 'group/former', reason: 'no namespace' },
      { repository: `${world.actor.name}/twice`, id: former, reason: 'replaced' },
    ]);
    expect(report.rows.deletedRepositories).toBe(1);
    const made = state.filter((row) => (row as { kind: string }).kind === 'repository');
    expect(made).toHaveLength(report.rows.repositories + 1);
    expect(made.map((row) => (row as { a: string }).a)).toContain('group/later');
  });
});

/** The source as a writer has it that read before, and writes late. */
function withDrawn(source: RecoverySource, drawn: DrawnRecords | undefined): RecoverySource {
  const answers = [drawn];
  return {
    oldestMarkMs: async () => 1,
    hasLog: async () => true,
    lease: async () => ({
      logId: '',
      lastNumber: 0,
      writtenNumber: 0,
      driver: 'memory',
      snapshotBytes: 0,
      segmentCount: 0,
      segmentBytes: 0,
    }),
    release: async () => undefined,
    draw: async () => answers.pop(),
    settle: (each, sizeBytes) => source.settle(each, sizeBytes),
    beginSnapshot: async () => undefined,
    page: (...page) => source.page(...page),
    finishSnapshot: async () => undefined,
  };
}

/** The log for as many changes as this; what comes after fails, as for a process that is gone. */
function failingAt(log: RecoveryLog, steps: number): RecoveryLog {
  let left = steps;
  const count = (): void => {
    if (left === 0) throw new Error('gone');
    left -= 1;
  };
  return {
    list: () => log.list(),
    read: (name) => log.read(name),
    append: async (name, bytes) => {
      count();
      await log.append(name, bytes);
    },
    remove: async (name) => {
      count();
      await log.remove(name);
    },
  };
}

/** The document as another installation would have written it. */
function asForeign(bytes: Uint8Array): Buffer {
  const lines = gunzipSync(bytes).toString().split('\n').slice(0, -2);
  const body = `${lines.join('\n').replace(/"logId":"[^"]+"/, `"logId":"${randomUUID()}"`)}\n`;
  const sha256 = createHash('sha256').update(body).digest('hex');
  return gzipSync(`${body}${JSON.stringify({ isEnd: true, records: lines.length - 1, sha256 })}\n`);
}

describe('a database that is not empty', () => {
  const database = withTestDatabase({ prepare: (url) => migrate(url) });
  beforeEach(async () => {
    const world = new ContentWorld(database.url);
    await world.open();
    await world.close();
  });

  it('is left alone', async () => {
    expect(await findOccupants(database.url)).toEqual({ hasContent: true, services: [] });
    expect(await rebuildInto(database.url, () => Promise.reject(new Error('called')))).toBe(false);
    const [row] = await rowsOf(
      database.url,
      `SELECT tgenabled FROM pg_trigger WHERE tgname = 'recovery_insert' LIMIT 1`,
    );
    expect(row).toEqual({ tgenabled: 'O' });
  });
});
