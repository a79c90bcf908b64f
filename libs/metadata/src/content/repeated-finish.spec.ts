import { randomUUID } from 'node:crypto';
import {
  OffsetMismatch,
  RunningHashes,
  appendChunk,
  deleteBlob,
  finishUpload,
  purgeUploads,
  type Bytes,
  type PushRoom,
  type UploadRef,
} from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresPurge, migrate } from '../index.js';
import { ContentWorld, outcomeOf, sha256 } from './content-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;
let content: string;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  content = `content ${randomUUID()}`;
});
afterEach(() => world.close());

async function* bodyOf(...texts: readonly string[]): Bytes {
  for (const text of texts) yield Buffer.from(text);
}

/** The data plane in another process. */
const elsewhere = (): PushRoom => ({ ...world.room, hashes: new RunningHashes() });

const finish = (ref: UploadRef, digest = sha256(content), room = elsewhere()) =>
  outcomeOf(finishUpload(room, { ref, digest }));

/** An upload with all of its bytes, one request away from its end. */
async function uploaded(): Promise<UploadRef> {
  const ref = await world.begin();
  await appendChunk(world.room, ref, { stateOffset: 0 }, bodyOf(content));
  return ref;
}

describe('a finish that is repeated', () => {
  it('is done, in whichever process, as often as it comes', async () => {
    const ref = await uploaded();
    expect(await finish(ref)).toBe('done');
    expect(await finish(ref)).toBe('done');
    expect(await Promise.all([finish(ref), finish(ref, sha256(content), world.room)])).toEqual(['done', 'done']);
    const { rows } = await world.owner.query('SELECT FROM doomed_object');
    expect(rows).toHaveLength(0);
  });

  it('promises the blob anew, from then on', async () => {
    const ref = await uploaded();
    expect(await finish(ref)).toBe('done');
    const leftMs = async (): Promise<number> => {
      const { rows } = await world.owner.query<{ left_ms: number }>(
        'SELECT (extract(epoch FROM due_at - now()) * 1000)::float8 AS left_ms FROM link_review WHERE digest = $1',
        [digestBytes(sha256(content))],
      );
      return rows[0]?.left_ms ?? Number.NaN;
    };
    await world.owner.query('UPDATE link_review SET due_at = now()');
    expect(await finish(ref)).toBe('done');
    expect(await leftMs()).toBeGreaterThanOrEqual(world.room.graceMs);
  });

  it('may bring its bytes again, which are read to their end', async () => {
    const ref = await world.begin();
    let readToTheEnd = 0;
    const send = () =>
      outcomeOf(
        finishUpload(elsewhere(), {
          ref,
          digest: sha256(content),
          last: {
            position: { stateOffset: 0 },
            body: (async function* () {
              yield* bodyOf(content.slice(0, 3), content.slice(3));
              readToTheEnd += 1;
            })(),
          },
        }),
      );
    expect([await send(), await send()]).toEqual(['done', 'done']);
    expect(readToTheEnd).toBe(2);
  });

  it('waits for the first one that is about to commit', async () => {
    const ref = await uploaded();
    const first = await world.holdSql((client) =>
      client.query('SELECT FROM upload WHERE id = $1 FOR UPDATE', [ref.uploadId]),
    );
    const finishes = Promise.all([finish(ref), finish(ref)]);
    await world.untilWaiting();
    await first.commit();
    const outcomes = await finishes;
    expect(outcomes).toContain('done');
    // The second one came while the first was at it, or after it had committed.
    expect(['done', 'BLOB_UPLOAD_INVALID']).toContain(outcomes.find((outcome) => outcome !== 'done') ?? 'done');
    expect(await finish(ref)).toBe('done');
  });

  it('is refused with another digest', async () => {
    const ref = await uploaded();
    await finish(ref);
    expect(await finish(ref, sha256('another'))).toBe('DIGEST_INVALID');
  });

  it('is unknown to another repository and another account', async () => {
    const ref = await uploaded();
    await finish(ref);
    const repositoryId = await world.newRepository('other');
    await world.pushBlob(content, repositoryId);
    expect(await finish({ ...ref, repositoryId })).toBe('BLOB_UPLOAD_UNKNOWN');
    expect(await finish({ ...ref, accountId: randomUUID() })).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('is unknown where the blob was deleted meanwhile', async () => {
    const ref = await uploaded();
    await finish(ref);
    await deleteBlob(world.work, world.removal, sha256(content));
    expect(await finish(ref)).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('is forgotten after an hour', async () => {
    const [old, fresh] = [await uploaded(), await uploaded()];
    await finish(old);
    await finish(fresh);
    await world.owner.query(
      `UPDATE finished_upload SET finished_at = now() - interval '61 minutes' WHERE upload_id = $1`,
      [old.uploadId],
    );
    const { signal } = new AbortController();
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    await purgeUploads({
      purge: new PostgresPurge(world.jobs),
      ttlMs: 3_600_000,
      isDry: false,
      signal,
      log,
      note: async () => undefined,
    });
    expect(lines).toEqual([]);
    expect(await finish(old)).toBe('BLOB_UPLOAD_UNKNOWN');
    expect(await finish(fresh)).toBe('done');
  });
});

describe('a finish that fails', () => {
  it('in the middle of its bytes can be sent again as it was', async () => {
    const ref = await world.begin();
    await appendChunk(world.room, ref, { stateOffset: 0 }, bodyOf('begun '));
    const digest = sha256(`begun ${content}`);
    const cut = (async function* () {
      yield* bodyOf(content.slice(0, 9));
      throw new Error('gone');
    })();
    const position = { stateOffset: 6 };
    await expect(finishUpload(world.room, { ref, digest, last: { position, body: cut } })).rejects.toThrow('gone');
    await finishUpload(elsewhere(), { ref, digest, last: { position, body: bodyOf(content) } });
    expect(await world.holdsBlob(digest)).toBe(true);
  });

  it('for its lease is done where the one that took it has committed the same', async () => {
    const ref = await world.begin();
    const room = { ...world.room, leaseMs: 3 };
    const body = (async function* () {
      yield* bodyOf(content);
      await world.owner.query(`UPDATE upload SET lease_until = now() WHERE id = $1`, [ref.uploadId]);
      const last = { position: { stateOffset: 0 }, body: bodyOf(content) };
      await finishUpload(elsewhere(), { ref, digest: sha256(content), last });
    })();
    await finishUpload(room, { ref, digest: sha256(content), last: { position: { stateOffset: 0 }, body } });
    expect(await world.holdsBlob(sha256(content))).toBe(true);
  });
});

describe('a lease that ran out', () => {
  it('is known to whoever writes next, also after a request that was out of order or failed', async () => {
    const ref = await uploaded();
    const lease = { uploadId: ref.uploadId, leaseId: randomUUID() };
    expect((await world.room.uploads.lease(ref, lease, { leaseMs: 0 }))?.wasAbandoned).toBe(false);
    const late = appendChunk(elsewhere(), ref, { stateOffset: 1 }, bodyOf('x'));
    await expect(late).rejects.toBeInstanceOf(OffsetMismatch);
    const broken = finishUpload(elsewhere(), { ref, digest: sha256('another') });
    await expect(broken).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    const next = { uploadId: ref.uploadId, leaseId: randomUUID() };
    expect((await world.room.uploads.lease(ref, next, { leaseMs: 60_000 }))?.wasAbandoned).toBe(true);
  });
});
