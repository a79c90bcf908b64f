import { randomBytes } from 'node:crypto';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, contentOf, type Content } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { appendPiece, pushBlob, pushImage, UPLOAD_WAYS, withDigest } from '../world/push.js';
import { connect } from '../world/target.js';

const BLOB_BYTES = 2 * 1024 * 1024;
const RIVAL_COUNT = 6;
const ROUNDS = [1, 2, 3, 4, 5];

describe('requests that race', () => {
  let product: Entrepot;
  let client: RegistryClient;
  beforeAll(async () => {
    product = await startEntrepot();
    client = connect(product);
  });
  afterAll(async () => {
    client.close();
    await product.remove();
  });

  const bench = (repository: string) => ({ client, journal: new Journal(), repository });
  const get = (path: string) => client.send({ method: 'GET', path });

  it.each(ROUNDS)(
    'uploads of one digest at once all succeed, in one and in several repositories (round %i)',
    async () => {
      const blob = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
      const repositories = ['admin/one', 'admin/one', 'admin/one', 'admin/two', 'admin/two', 'admin/three'];
      await Promise.all(
        repositories.map((repository, rival) =>
          pushBlob(bench(repository), blob, UPLOAD_WAYS[rival % UPLOAD_WAYS.length] ?? 'whole'),
        ),
      );
      for (const repository of repositories) {
        const answer = await get(`/v2/${repository}/blobs/${blob.digest}`);
        expect(answer.status).toBe(200);
        expect(answer.body.equals(blob.bytes)).toBe(true);
      }
    },
  );

  it.each(ROUNDS)('one of the chunks sent at once for the same offset wins (round %i)', async () => {
    const repository = 'admin/chunks';
    const blob = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    const opened = await client.send({ method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
    const upload = { repository, content: blob, location: opened.headers.location ?? '', offsetBytes: 0 };
    const half = BLOB_BYTES / 2;
    // The rivals' bytes differ, so that a mixture of them shows.
    const statuses = await Promise.all(
      Array.from({ length: RIVAL_COUNT }, (_, rival) => sendFirstHalf(upload.location, blob, rival)),
    );
    const winners = statuses.filter((status) => status === 202);
    expect(statuses.every((status) => [202, 409, 416].includes(status))).toBe(true);
    expect(winners).toHaveLength(1);

    const state = await get(upload.location);
    expect(state.headers['range']).toBe(`0-${half - 1}`);
    const rest = { ...upload, location: state.headers.location ?? '', offsetBytes: half };
    await appendPiece(bench(repository), rest, half);
    const finished = await client.send({ method: 'PUT', path: withDigest(rest.location, blob.digest) });
    const isFirstRival = statuses[0] === 202;
    expect(finished.status).toBe(isFirstRival ? 201 : 400);
  });

  /** The first rival sends the right bytes, the others bytes of their own. */
  async function sendFirstHalf(location: string, blob: Content, rival: number): Promise<number> {
    const half = BLOB_BYTES / 2;
    const answer = await client.send({
      method: 'PATCH',
      path: location,
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Range': `0-${half - 1}` },
      body: rival === 0 ? blob.bytes.subarray(0, half) : Buffer.alloc(half, rival),
    });
    return answer.status;
  }

  it.each(ROUNDS)('manifests put at once under one tag all exist, and the tag is one of them (round %i)', async () => {
    const repository = 'admin/one-tag';
    const images = Array.from({ length: RIVAL_COUNT }, () => buildImage({ layers: [randomBytes(100)] }));
    await Promise.all(images.map((image) => pushImage(bench(repository), { image, tag: 'contended', way: 'whole' })));
    for (const { manifest } of images) {
      expect((await get(`/v2/${repository}/manifests/${manifest.digest}`)).body.equals(manifest.bytes)).toBe(true);
    }
    const tagged = await get(`/v2/${repository}/manifests/contended`);
    expect(images.map(({ manifest }) => manifest.digest)).toContain(tagged.headers['docker-content-digest']);
  });

  it.each(ROUNDS)('a push against deletions of the same content leaves whole images only (round %i)', async () => {
    const repository = 'admin/push-delete';
    const image = buildImage({ layers: [randomBytes(1_000)] });
    const { manifest, layers, config } = image;
    await pushImage(bench(repository), { image, tag: 'latest', way: 'whole' });
    const put = () =>
      client.send({
        method: 'PUT',
        path: `/v2/${repository}/manifests/latest`,
        headers: { 'Content-Type': manifest.mediaType },
        body: manifest.bytes,
      });
    const remove = (path: string) => client.send({ method: 'DELETE', path: `/v2/${repository}/${path}` });
    const answers = await Promise.all([
      put(),
      remove(`manifests/${manifest.digest}`),
      put(),
      remove(`blobs/${layers[0]?.digest}`),
      put(),
      remove('manifests/latest'),
      remove(`manifests/${manifest.digest}`),
    ]);
    const server = answers.filter(({ status }) => status >= 500);
    expect(server.map(({ status, body }) => `${status} ${body}`)).toEqual([]);

    const left = await get(`/v2/${repository}/manifests/${manifest.digest}`);
    const tagged = await get(`/v2/${repository}/manifests/latest`);
    expect([200, 404]).toContain(left.status);
    expect([left.status, 404]).toContain(tagged.status);
    const kept = left.status === 200 ? [...layers, config] : [];
    for (const { digest, bytes } of kept) {
      const blob = await get(`/v2/${repository}/blobs/${digest}`);
      expect(blob.status).toBe(200);
      expect(blob.body.equals(bytes)).toBe(true);
    }
  });
});
