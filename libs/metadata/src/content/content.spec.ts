import { createHash, randomUUID } from 'node:crypto';
import { MemoryBlobStore } from '@entrepot/blob-store';
import {
  OffsetMismatch,
  RunningHashes,
  appendChunk,
  cancelUpload,
  deleteBlob,
  deleteManifest,
  deleteTag,
  finishUpload,
  purgeUploads,
  putManifest,
  removeDoomedObjects,
  startUpload,
  type ManifestRules,
  type ObjectKey,
  type PushRoom,
  type UploadRef,
} from '@entrepot/content';
import { RegistryError, parseManifest, parseRepositoryName, parseTag, type Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  PostgresContentReader,
  PostgresPurge,
  PostgresRepositories,
  PostgresUnitOfWork,
  PostgresUploads,
  createPool,
  migrate,
} from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });

let pool: Pool;
let room: PushRoom;
let reader: PostgresContentReader;
let work: PostgresUnitOfWork;
let actor: { id: string; name: string };
let repositoryId: string;
let otherRepositoryId: string;

/** One store for the one database: blobs are shared by the tests as by repositories. */
const store = new MemoryBlobStore();
const rules: ManifestRules = { sparse: 'refuse', graceMs: 60_000 };
const repositoryName = parseRepositoryName('alice/app');
const sha256 = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

beforeAll(async () => {
  const role = 'registry' as const;
  pool = createPool({ url: database.url, role, poolSize: 8, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 });
  reader = new PostgresContentReader(pool, pool);
  work = new PostgresUnitOfWork(pool);
});

afterAll(() => pool.end());

/** A user with a repository of its own for each test. */
beforeEach(async () => {
  const owner = createPool({
    url: database.url,
    role: 'owner',
    poolSize: 1,
    statementTimeoutMs: 5000,
    lockTimeoutMs: 5000,
  });
  actor = { id: randomUUID(), name: `user-${randomUUID().slice(0, 8)}` };
  await owner.query('INSERT INTO namespace (id, name, kind) VALUES ($1, $2, $3)', [actor.id, actor.name, 'user']);
  await owner.query('INSERT INTO account (id) VALUES ($1)', [actor.id]);
  await owner.end();
  repositoryId = await newRepository('app');
  otherRepositoryId = await newRepository('other');
  room = {
    uploads: new PostgresUploads(pool),
    store,
    hashes: new RunningHashes(),
    leaseMs: 15_000,
    graceMs: 60_000,
    maxBlobBytes: 1024 * 1024,
    maxUploads: 5,
    newId: randomUUID,
  };
});

async function newRepository(name: string): Promise<string> {
  const wanted = { name: parseRepositoryName(`${actor.name}/${name}`), namespaceId: actor.id, createdBy: actor };
  const repository = await new PostgresRepositories(pool).findOrCreate(wanted);
  if (!repository) throw new Error('no repository');
  return repository.id;
}

function begin(into = repositoryId): Promise<UploadRef> {
  return startUpload(room, { repositoryId: into, accountId: actor.id, algorithm: 'sha256' });
}

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** A body whose sender goes away in the middle. */
async function* breaking(): AsyncIterable<Uint8Array> {
  yield Buffer.from(' wor');
  throw new Error('gone');
}

async function pushBlob(content: string | Uint8Array, into = repositoryId): Promise<Digest> {
  const digest = sha256(content);
  await finishUpload(room, {
    ref: await begin(into),
    digest,
    last: { position: { stateOffset: 0 }, body: chunksOf(content) },
  });
  return digest;
}

async function sizeInStore(key: ObjectKey | undefined): Promise<number | undefined> {
  for await (const object of store.list()) if (object.key === key) return object.sizeBytes;
  return undefined;
}

async function readBlob(digest: Digest, from = repositoryId): Promise<string | undefined> {
  const blob = await reader.blob(from, digest);
  if (!blob) return undefined;
  const chunks: Buffer[] = [];
  const range = { start: 0, end: blob.sizeBytes - 1 };
  await room.store.read(blob.objectKey, range, async (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks).toString();
}

function manifestOf(fields: Record<string, unknown>, mediaType = 'application/vnd.oci.image.manifest.v1+json') {
  const payload = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }));
  return { payload, digest: sha256(payload), manifest: parseManifest(payload, mediaType) };
}

const descriptor = (digest: Digest, size: number, mediaType = 'application/vnd.oci.image.layer.v1.tar') => ({
  mediaType,
  digest,
  size,
});

function imageOf(config: Digest, layers: [Digest, number][], extra: Record<string, unknown> = {}) {
  return manifestOf({
    config: descriptor(config, 2, 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map(([digest, size]) => descriptor(digest, size)),
    ...extra,
  });
}

async function push(image: ReturnType<typeof manifestOf>, tags: string[], sparse: ManifestRules['sparse'] = 'refuse') {
  await putManifest(
    work,
    { ...rules, sparse },
    { repositoryId, repositoryName, actor, tags: tags.map(parseTag), ...image },
  );
  return image;
}

const removal = () => ({ repositoryId, repositoryName, actor, graceMs: 60_000 });
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof RegistryError ? error.code : error),
  );

async function count(table: string, where = 'true', values: unknown[] = []): Promise<number> {
  const owner = createPool({
    url: database.url,
    role: 'owner',
    poolSize: 1,
    statementTimeoutMs: 5000,
    lockTimeoutMs: 5000,
  });
  const { rows } = await owner.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`, values);
  await owner.end();
  return rows[0]?.n ?? 0;
}

describe('uploads', () => {
  it('takes a blob in one go, and serves it to its repository alone', async () => {
    const digest = await pushBlob('hello');
    expect(await readBlob(digest)).toBe('hello');
    expect(await readBlob(digest, otherRepositoryId)).toBeUndefined();
  });

  it('takes a blob in chunks and notes each offset', async () => {
    const ref = await begin();
    expect(await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('hel'))).toBe(3);
    expect((await room.uploads.find(ref))?.offsetBytes).toBe(3);
    expect(await appendChunk(room, ref, { stateOffset: 3, range: { start: 3, end: 4 } }, chunksOf('lo'))).toBe(5);
    await finishUpload(room, { ref, digest: sha256('hello') });
    expect(await readBlob(sha256('hello'))).toBe('hello');
    expect(await room.uploads.find(ref)).toBeUndefined();
  });

  it('goes on in another process, which has seen none of the bytes', async () => {
    const ref = await begin();
    await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('one '));
    room = { ...room, hashes: new RunningHashes() };
    await appendChunk(room, ref, { stateOffset: 4 }, chunksOf('two '));
    room = { ...room, hashes: new RunningHashes() };
    await finishUpload(room, {
      ref,
      digest: sha256('one two three'),
      last: { position: { stateOffset: 8 }, body: chunksOf('three') },
    });
    expect(await readBlob(sha256('one two three'))).toBe('one two three');
  });

  it('finishes by an algorithm that was not announced', async () => {
    const ref = await begin();
    await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('hello'));
    const digest = `sha512:${createHash('sha512').update('hello').digest('hex')}` as Digest;
    await finishUpload(room, { ref, digest });
    expect(await readBlob(digest)).toBe('hello');
  });

  it('refuses a wrong digest and leaves the upload as it was', async () => {
    const ref = await begin();
    await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('hello'));
    const last = { position: { stateOffset: 5 }, body: chunksOf(' moon') };
    expect(await codeOf(finishUpload(room, { ref, digest: sha256('hello world'), last }))).toBe('DIGEST_INVALID');
    expect((await room.uploads.find(ref))?.offsetBytes).toBe(5);
    const again = { position: { stateOffset: 5 }, body: chunksOf(' world') };
    await finishUpload(room, { ref, digest: sha256('hello world'), last: again });
    expect(await readBlob(sha256('hello world'))).toBe('hello world');
  });

  it('refuses bytes out of order, and keeps what came before a break', async () => {
    const ref = await begin();
    await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('hello'));
    for (const position of [{ stateOffset: 0 }, { stateOffset: 5, range: { start: 4, end: 6 } }]) {
      await expect(appendChunk(room, ref, position, chunksOf('xx'))).rejects.toBeInstanceOf(OffsetMismatch);
    }
    await expect(appendChunk(room, ref, { stateOffset: 5 }, breaking())).rejects.toThrow('gone');
    expect((await room.uploads.find(ref))?.offsetBytes).toBe(9);
    const last = { position: { stateOffset: 9 }, body: chunksOf('ld') };
    await finishUpload(room, { ref, digest: sha256('hello world'), last });
    expect(await readBlob(sha256('hello world'))).toBe('hello world');
  });

  it('keeps nothing of a chunk that is not what its range says, however long it took', async () => {
    const slow = { ...room, leaseMs: 3 };
    const ref = await begin();
    await appendChunk(slow, ref, { stateOffset: 0 }, chunksOf('hello'));
    const short = { stateOffset: 5, range: { start: 5, end: 14 } };
    const sent = appendChunk(slow, ref, short, chunksOf(' wo', 'r', 'ld'));
    await expect(sent).rejects.toBeInstanceOf(OffsetMismatch);
    expect((await room.uploads.find(ref))?.offsetBytes).toBe(5);
  });

  it('lets one of two writers in, and the other none of its bytes', async () => {
    const ref = await begin();
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncIterable<Uint8Array> {
      yield Buffer.from('first');
      await gate.promise;
    }
    const first = appendChunk(room, ref, { stateOffset: 0 }, slow());
    const second = await codeOf(
      (async () => {
        // The first has its lease once its row says so.
        while ((await count('upload', 'id = $1 AND lease_id IS NOT NULL', [ref.uploadId])) === 0);
        return appendChunk(room, ref, { stateOffset: 0 }, chunksOf('second'));
      })(),
    );
    gate.resolve();
    expect(second).toBe('BLOB_UPLOAD_INVALID');
    expect(await first).toBe(5);
    await finishUpload(room, { ref, digest: sha256('first') });
    expect(await readBlob(sha256('first'))).toBe('first');
  });

  it('hands an upload over when its lease ran out, and silences the former writer', async () => {
    room = { ...room, leaseMs: 60 };
    const ref = await begin();
    async function* stalling(): AsyncIterable<Uint8Array> {
      yield Buffer.from('old');
      while ((await count('upload', 'id = $1 AND lease_until < now()', [ref.uploadId])) === 0);
      await appendChunk(
        { ...room, leaseMs: 15_000, hashes: new RunningHashes() },
        ref,
        { stateOffset: 0 },
        chunksOf('new!'),
      );
      yield Buffer.from('late');
    }
    const former = appendChunk(room, ref, { stateOffset: 0 }, stalling());
    await expect(former).rejects.toMatchObject({ status: 409 });
    await finishUpload(room, { ref, digest: sha256('new!') });
    expect(await readBlob(sha256('new!'))).toBe('new!');
  });

  it('keeps one copy of a blob that two push at once, and both succeed', async () => {
    const content = `shared ${randomUUID()}`;
    const before = await count('doomed_object');
    await Promise.all([pushBlob(content), pushBlob(content, otherRepositoryId)]);
    expect(await readBlob(sha256(content))).toBe(content);
    expect(await readBlob(sha256(content), otherRepositoryId)).toBe(content);
    expect(
      await count('blob', 'digest = $1', [
        Buffer.concat([Buffer.from([1]), Buffer.from(sha256(content).slice(7), 'hex')]),
      ]),
    ).toBe(1);
    expect(await count('doomed_object')).toBe(before + 1);
  });

  it('bounds the uploads of an account, and forgets cancelled ones', async () => {
    const refs = await Promise.all(Array.from({ length: 5 }, () => begin()));
    expect(await codeOf(begin())).toBe('TOOMANYREQUESTS');
    await cancelUpload(room, refs[0] as UploadRef);
    expect(await codeOf(cancelUpload(room, refs[0] as UploadRef))).toBe('BLOB_UPLOAD_UNKNOWN');
    await begin();
  });

  it("knows nothing of another repository's or account's upload", async () => {
    const ref = await begin();
    const foreign = { ...ref, repositoryId: otherRepositoryId };
    expect(await room.uploads.find(foreign)).toBeUndefined();
    expect(await codeOf(appendChunk(room, foreign, { stateOffset: 0 }, chunksOf('x')))).toBe('BLOB_UPLOAD_UNKNOWN');
    expect(await room.uploads.find({ ...ref, accountId: randomUUID() })).toBeUndefined();
  });

  it('refuses a blob over the limit', async () => {
    const last = { position: { stateOffset: 0 }, body: chunksOf(Buffer.alloc(room.maxBlobBytes + 1)) };
    expect(await codeOf(finishUpload(room, { ref: await begin(), digest: sha256(''), last }))).toBe('SIZE_INVALID');
  });

  it('mounts from a repository that holds the blob, and only then', async () => {
    const digest = await pushBlob('mounted');
    const graceMs = 1000;
    const into = { repositoryId: otherRepositoryId, graceMs };
    expect(await room.uploads.mount({ ...into, digest: sha256('missing'), source: { repositoryId } })).toBe(false);
    const stranger = { viewer: { accountId: randomUUID() } };
    expect(await room.uploads.mount({ ...into, digest, source: stranger })).toBe(false);
    expect(await room.uploads.mount({ ...into, digest, source: { viewer: {} } })).toBe(false);
    expect(await readBlob(digest, otherRepositoryId)).toBeUndefined();
    expect(await room.uploads.mount({ ...into, digest, source: { viewer: { accountId: actor.id } } })).toBe(true);
    expect(await readBlob(digest, otherRepositoryId)).toBe('mounted');
  });

  it('purges what was abandoned, rows first and bytes after', async () => {
    const ref = await begin();
    await appendChunk(room, ref, { stateOffset: 0 }, chunksOf('left behind'));
    const abandoned = await room.uploads.find(ref);
    expect(await sizeInStore(abandoned?.objectKey)).toBe(11);
    const running = new AbortController().signal;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const jobs = createPool({
      url: database.url,
      role: 'jobrunner',
      poolSize: 1,
      statementTimeoutMs: 5000,
      lockTimeoutMs: 5000,
    });
    const purge = new PostgresPurge(jobs);
    const lines: string[] = [];
    const notes: number[] = [];
    const terms = {
      purge,
      ttlMs: 1,
      signal: running,
      log: (line: string) => void lines.push(line),
      note: async (uploads: number) => void notes.push(uploads),
    };
    const dry = await purgeUploads({ ...terms, isDry: true });
    expect(dry.uploadsEnded).toBeGreaterThanOrEqual(1);
    expect(await purgeUploads({ ...terms, isDry: false })).toMatchObject({ ...dry, endsForgotten: expect.any(Number) });
    expect(notes.at(-1)).toBe(dry.uploadsEnded);
    expect(lines.slice(0, dry.uploadsEnded).toSorted()).toEqual(
      lines
        .slice(dry.uploadsEnded)
        .map((line) => line.replace('ended', 'would end'))
        .toSorted(),
    );
    expect(await removeDoomedObjects({ purge, store: room.store, ratePerSecond: 0, signal: running })).toMatchObject({
      failures: [],
    });
    await jobs.end();
    expect(await room.uploads.find(ref)).toBeUndefined();
    expect(await sizeInStore(abandoned?.objectKey)).toBeUndefined();
    expect(await count('doomed_object')).toBe(0);
  });
});

describe('manifests', () => {
  it('are served by tag and digest exactly as pushed, with every row of the push', async () => {
    const config = await pushBlob('{}');
    const layer = await pushBlob('layer');
    const image = await push(imageOf(config, [[layer, 5]]), ['v1', 'latest']);
    const byTag = await reader.manifestByTag(repositoryId, parseTag('v1'));
    expect(Buffer.from(byTag?.payload ?? []).equals(image.payload)).toBe(true);
    expect(await reader.manifestByDigest(repositoryId, image.digest)).toMatchObject({ digest: image.digest });
    expect(await reader.manifestByTag(otherRepositoryId, parseTag('v1'))).toBeUndefined();
    expect(await reader.tags(repositoryId, { limit: 10 })).toEqual(['latest', 'v1']);
    expect(await count('tag_history', 'repository_id = $1', [repositoryId])).toBe(2);
    expect(await count('usage_delta', 'repository_id = $1 AND manifests = 1', [repositoryId])).toBe(1);
    expect(await count('audit_event', `actor_id = $1 AND action = 'manifest.pushed'`, [actor.id])).toBe(1);
    expect(
      await count('outbox_event', `kind = 'manifest.pushed' AND payload->>'repositoryId' = $1`, [repositoryId]),
    ).toBe(1);
  });

  it('name all that is missing, and leave nothing behind', async () => {
    const [one, two] = [sha256('one'), sha256('two')];
    const image = imageOf(one, [[two, 3]]);
    await expect(push(image, ['v1'])).rejects.toMatchObject({
      code: 'MANIFEST_BLOB_UNKNOWN',
      detail: [{ digest: one }, { digest: two }],
    });
    expect(await count('manifest', 'repository_id = $1', [repositoryId])).toBe(0);
  });

  it("cannot name another repository's blob", async () => {
    const config = await pushBlob('{}');
    const layer = await pushBlob(`secret ${randomUUID()}`, otherRepositoryId);
    expect(await codeOf(push(imageOf(config, [[layer, 43]]), ['v1']))).toBe('MANIFEST_BLOB_UNKNOWN');
  });

  it('with a wrong size of held content are refused, as is embedded data of another content', async () => {
    const config = await pushBlob('{}');
    const layer = await pushBlob('layer');
    expect(await codeOf(push(imageOf(config, [[layer, 6]]), []))).toBe('MANIFEST_INVALID');
    const lie = { ...descriptor(layer, 5), data: Buffer.from('lairs').toString('base64') };
    const image = manifestOf({ config: descriptor(config, 2), layers: [lie] });
    expect(await codeOf(push(image, []))).toBe('MANIFEST_INVALID');
  });

  it('of the same bytes keep the media type of their first push', async () => {
    const config = await pushBlob('{}');
    const payload = Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor(config, 2), layers: [] }));
    const digest = sha256(payload);
    const oci = parseManifest(payload, 'application/vnd.oci.image.manifest.v1+json');
    const docker = parseManifest(payload, 'application/vnd.docker.distribution.manifest.v2+json');
    await push({ payload, digest, manifest: oci }, ['v1']);
    await push({ payload, digest, manifest: oci }, ['v2']);
    expect(await codeOf(push({ payload, digest, manifest: docker }, ['v3']))).toBe('MANIFEST_INVALID');
    expect(await reader.tags(repositoryId, { limit: 10 })).toEqual(['v1', 'v2']);
  });

  it('move tags with history and a review of what the tag left', async () => {
    const config = await pushBlob('{}');
    const first = await push(imageOf(config, []), ['v1']);
    const second = await push(imageOf(config, [], { annotations: { a: 'b' } }), ['v1']);
    expect((await reader.manifestByTag(repositoryId, parseTag('v1')))?.digest).toBe(second.digest);
    expect(await reader.manifestByDigest(repositoryId, first.digest)).toBeDefined();
    expect(await count('tag_history', 'repository_id = $1 AND previous_digest IS NOT NULL', [repositoryId])).toBe(1);
    expect(
      await count('manifest_review r JOIN manifest m ON m.id = r.manifest_id', 'm.repository_id = $1', [repositoryId]),
    ).toBe(1);
  });

  it('end a race for one tag in one value, and a history that chains', async () => {
    const config = await pushBlob('{}');
    const images = Array.from({ length: 8 }, (_, index) => imageOf(config, [], { annotations: { n: `${index}` } }));
    await Promise.all(images.map((image) => push(image, ['race'])));
    const { rows } = await pool.query<{ digest: Buffer; previous_digest: Buffer | null }>(
      'SELECT digest, previous_digest FROM tag_history WHERE repository_id = $1 ORDER BY id',
      [repositoryId],
    );
    expect(rows).toHaveLength(8);
    for (const [index, row] of rows.entries()) expect(row.previous_digest).toEqual(rows[index - 1]?.digest ?? null);
  });

  it('are changed even where two changes waited for each other', async () => {
    const config = await pushBlob('{}');
    const one = await push(imageOf(config, []), ['one']);
    const two = await push(imageOf(config, [], { annotations: { a: 'b' } }), ['two']);
    let lockedCount = 0;
    const bothLocked = Promise.withResolvers<void>();
    const lockBoth = (first: Digest, second: Digest) =>
      work.run(async (tx) => {
        await tx.lockManifest(repositoryId, first);
        lockedCount += 1;
        if (lockedCount === 2) bothLocked.resolve();
        await bothLocked.promise;
        await tx.lockManifest(repositoryId, second);
      });
    await Promise.all([lockBoth(one.digest, two.digest), lockBoth(two.digest, one.digest)]);
    expect(lockedCount).toBe(3);
  });

  it('are kept by an index that lists them, and go when it goes', async () => {
    const config = await pushBlob('{}');
    const image = await push(imageOf(config, []), ['v1']);
    const entry = descriptor(image.digest, image.payload.byteLength, 'application/vnd.oci.image.manifest.v1+json');
    const index = await push(manifestOf({ manifests: [entry] }, 'application/vnd.oci.image.index.v1+json'), ['all']);
    await expect(deleteManifest(work, removal(), image.digest)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining(index.digest),
      detail: { indexes: [index.digest] },
      headers: { Allow: 'GET, HEAD, PUT' },
    });
    await deleteManifest(work, removal(), index.digest);
    await deleteManifest(work, removal(), image.digest);
    expect(await codeOf(deleteManifest(work, removal(), image.digest))).toBe('MANIFEST_UNKNOWN');
    expect(await reader.tags(repositoryId, { limit: 10 })).toEqual([]);
  });

  it('may list blobs as entries of an index, as caches of builders do', async () => {
    const layer = await pushBlob(`cached ${randomUUID()}`);
    const entry = descriptor(layer, 43);
    const cache = await push(manifestOf({ manifests: [entry] }, 'application/vnd.oci.image.index.v1+json'), ['cache']);
    await deleteBlob(work, removal(), layer);
    expect(await reader.blob(repositoryId, layer)).toBeDefined();
    await deleteManifest(work, removal(), cache.digest);
    expect(await reader.blob(repositoryId, layer)).toBeUndefined();
  });

  it('stay when only their tag is deleted', async () => {
    const config = await pushBlob('{}');
    const image = await push(imageOf(config, []), ['v1']);
    await deleteTag(work, removal(), parseTag('v1'));
    expect(await codeOf(deleteTag(work, removal(), parseTag('v1')))).toBe('MANIFEST_UNKNOWN');
    expect(await reader.manifestByDigest(repositoryId, image.digest)).toBeDefined();
  });

  it('are listed as referrers of their subject, by type and page, before the subject exists', async () => {
    const config = await pushBlob('{}');
    const subject = descriptor(sha256('not there yet'), 10, 'application/vnd.oci.image.manifest.v1+json');
    const sbom = await push(imageOf(config, [], { subject, artifactType: 'a/sbom', annotations: { k: 'v' } }), []);
    const signature = await push(imageOf(config, [], { subject, artifactType: 'a/signature' }), []);
    const query = { repositoryId, subject: subject.digest, limit: 10, limitBytes: 10_000 };
    const listed = async (changed: Partial<typeof query & { last: Digest }> = {}) => {
      const { referrers, hasMore } = await reader.referrers({ ...query, ...changed });
      return { digests: referrers.map(({ digest }) => digest), hasMore };
    };
    const [one, other] = [sbom.digest, signature.digest].sort() as [Digest, Digest];
    const both = { digests: [one, other], hasMore: false };
    const first = { digests: [one], hasMore: true };
    expect(await listed()).toEqual(both);
    expect(await listed({ limit: 2 })).toEqual(both);
    expect(await listed({ limit: 1 })).toEqual(first);
    expect(await listed({ limitBytes: 1 })).toEqual(first);
    expect(await listed({ last: one })).toEqual({ digests: [other], hasMore: false });
    expect(await reader.referrers({ ...query, artifactType: 'a/sbom' })).toEqual({
      referrers: [
        {
          digest: sbom.digest,
          mediaType: sbom.manifest.mediaType,
          sizeBytes: sbom.payload.byteLength,
          artifactType: 'a/sbom',
          annotations: { k: 'v' },
        },
      ],
      hasMore: false,
    });
    await deleteManifest(work, removal(), one);
    expect(await listed({ last: one })).toEqual({ digests: [other], hasMore: false });
  });

  it('may be sparse where that is allowed, and hold what comes later', async () => {
    const layer = `late ${randomUUID()}`;
    const config = await pushBlob('{}');
    const image = imageOf(config, [[sha256(layer), layer.length]]);
    expect(await codeOf(push(image, ['v1'], 'indexes'))).toBe('MANIFEST_BLOB_UNKNOWN');
    const entry = descriptor(image.digest, image.payload.byteLength, 'application/vnd.oci.image.manifest.v1+json');
    await push(manifestOf({ manifests: [entry] }, 'application/vnd.oci.image.index.v1+json'), ['all'], 'indexes');
    await push(image, ['v1'], 'all');
    await pushBlob(layer);
    expect(await count('sparse_reference', 'repository_id = $1', [repositoryId])).toBe(0);
    expect(await codeOf(deleteManifest(work, removal(), image.digest))).toBe('UNSUPPORTED');
  });
});

describe('blobs', () => {
  it('are unlinked at once where nothing needs them, else with the last manifest that does', async () => {
    const config = await pushBlob('{}');
    const free = await pushBlob(`free ${randomUUID()}`);
    const image = await push(imageOf(config, []), ['v1']);
    await deleteBlob(work, removal(), free);
    expect(await reader.blob(repositoryId, free)).toBeUndefined();
    expect(await codeOf(deleteBlob(work, removal(), free))).toBe('BLOB_UNKNOWN');
    await deleteBlob(work, removal(), config);
    expect(await reader.blob(repositoryId, config)).toBeDefined();
    await deleteManifest(work, removal(), image.digest);
    expect(await reader.blob(repositoryId, config)).toBeUndefined();
  });
});
