import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeOf, jsonOf, type Answer } from '../wire/http.js';
import {
  CONFIG_TYPE,
  contentOf,
  descriptorOf,
  imageOf,
  IMAGES,
  indexOf,
  INDEX_TYPE,
  LAYER_TYPE,
  MANIFEST_TYPE,
  type Content,
} from '../world/contents.js';
import { alice, bearer, bob, carol, pushBlob, pushImage, putManifest, send } from '../world/person.js';
import { fillRepositories } from '../world/product.js';

const { config, layer, manifest } = IMAGES['acme/app'];
const CONFIG = descriptorOf(config, CONFIG_TYPE);
const LAYER = descriptorOf(layer, LAYER_TYPE);
const DOCKER_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const MIB = 1024 * 1024;

let made = 0;

/** An image manifest of `acme/app` with members replaced, different from any other. */
function variant(extra: object): Content {
  made += 1;
  return imageOf('acme/app', { annotations: { made: `${Date.now()} ${made}` }, ...extra }).manifest;
}

function put(content: Content, contentType: string = MANIFEST_TYPE): Promise<Answer> {
  return putManifest(alice, 'acme/app/manifests/confusing', content, contentType);
}

const REFUSED = '400 MANIFEST_INVALID';

/** `REFUSED`, or what happened otherwise, and to which document. */
async function refusalOf(content: Content, contentType?: string): Promise<string> {
  const answer = await put(content, contentType);
  const outcome = `${answer.status} ${codeOf(answer)}`;
  return outcome === REFUSED ? outcome : `${outcome}: ${content.bytes.toString().slice(0, 300)}`;
}

describe('E: confusing contents', () => {
  beforeAll(fillRepositories);

  it('E-01: a document of two shapes is refused', async () => {
    const manifests = [descriptorOf(manifest, MANIFEST_TYPE)];
    expect(await refusalOf(variant({ manifests }))).toBe(REFUSED);
    expect(await refusalOf(variant({ manifests: [] }))).toBe(REFUSED);
    expect(await refusalOf(variant({ blobs: [] }))).toBe(REFUSED);
    expect(await refusalOf(indexOf(manifests, { layers: [LAYER] }), INDEX_TYPE)).toBe(REFUSED);
    expect(await refusalOf(indexOf(manifests, { config: CONFIG }), INDEX_TYPE)).toBe(REFUSED);
    const shapeless = contentOf(JSON.stringify({ schemaVersion: 2, config: CONFIG, manifests, layers: [LAYER] }));
    for (const type of [MANIFEST_TYPE, INDEX_TYPE, '']) expect(await refusalOf(shapeless, type)).toBe(REFUSED);
  });

  it('E-02: a mediaType that is not the Content-Type is refused', async () => {
    expect(await refusalOf(manifest, INDEX_TYPE)).toBe(REFUSED);
    expect(await refusalOf(manifest, DOCKER_TYPE)).toBe(REFUSED);
    expect(await refusalOf(variant({ mediaType: DOCKER_TYPE }))).toBe(REFUSED);
    expect(await refusalOf(variant({ mediaType: `${MANIFEST_TYPE} ` }))).toBe(REFUSED);
    expect(await refusalOf(variant({ mediaType: [MANIFEST_TYPE] }))).toBe(REFUSED);
    expect((await put(variant({}), `${MANIFEST_TYPE}; charset=utf-8`)).status).toBe(201);
  });

  it('E-03: without a mediaType the first push decides, and whatever is accepted gets that', async () => {
    const untyped = variant({ mediaType: undefined });
    expect((await put(untyped, DOCKER_TYPE)).status).toBe(201);
    for (const accept of [MANIFEST_TYPE, DOCKER_TYPE, '*/*', INDEX_TYPE]) {
      const path = `/v2/acme/app/manifests/${untyped.digest}`;
      const got = await alice.ask({ path, headers: { Accept: accept } });
      expect([got.status, got.headers['content-type']]).toEqual([200, DOCKER_TYPE]);
    }
  });

  it('E-04: the same bytes cannot be pushed again as another type', async () => {
    const untyped = variant({ mediaType: undefined });
    expect((await put(untyped, MANIFEST_TYPE)).status).toBe(201);
    expect(await refusalOf(untyped, DOCKER_TYPE)).toBe(REFUSED);
    const other = await putManifest(alice, `acme/app/manifests/${untyped.digest}`, untyped, DOCKER_TYPE);
    expect(other.status).toBe(400);
    const got = await alice.ask({ path: `/v2/acme/app/manifests/${untyped.digest}` });
    expect(got.headers['content-type']).toBe(MANIFEST_TYPE);
  });

  it('E-05: members twice, in another case, or numbers that lose digits are refused', async () => {
    const text = manifest.bytes.toString();
    const texts = [
      text.replace('"layers":', '"layers":[],"layers":'),
      text.replace('"config":', '"config":{},"config":'),
      text.replace('"digest":', `"digest":"${layer.digest}","digest":`),
      text.replace('"layers":', '"Layers":[],"layers":'),
      text.replace('"layers":', '"LAYERS":'),
      text.replace('"mediaType":', '"MediaType":"x","mediaType":'),
      text.replace('"size":', '"Size":1,"size":'),
      text.replace('"digest":', '"di\\u0067est":"sha256:x","digest":'),
      text.replace(/"size":\d+/, '"size":9007199254740993'),
      text.replace(/"size":(\d+)/, '"size":$1.5'),
      text.replace(/"size":(\d+)/, '"size":"$1"'),
      text.replace(/"size":(\d+)/, '"size":0$1'),
      text.replace('{', '{/* a comment */'),
      text.replace(/\}$/, ',}'),
    ];
    for (const changed of texts) expect(await refusalOf(contentOf(changed))).toBe(REFUSED);
  });

  it('E-06: old and unknown kinds are refused or stored by rule, and never a fault', async () => {
    const schema1 = contentOf(
      '{"schemaVersion":1,"name":"acme/app","tag":"1","fsLayers":[],"history":[],"signatures":[]}',
    );
    const old = await put(schema1, 'application/vnd.docker.distribution.manifest.v1+prettyjws');
    expect(old.status).toBe(400);
    expect(old.text).toContain('schema 1');
    for (const type of ['text/html', 'application/json; x=y', 'application/octet-stream', 'x', 'image/svg+xml']) {
      expect(await refusalOf(variant({ mediaType: undefined }), type)).toBe(REFUSED);
    }
    expect(await refusalOf(variant({ schemaVersion: 3 }))).toBe(REFUSED);
    expect(await refusalOf(variant({ schemaVersion: '2' }))).toBe(REFUSED);
    expect(await refusalOf(variant({ config: { ...CONFIG, mediaType: 'application/vnd.oci.empty.v1+json' } }))).toBe(
      REFUSED,
    );
    const known = { mediaType: 'application/vnd.example.thing.v1+json' };
    expect((await put(variant(known), known.mediaType)).status).toBe(201);
  });

  it('E-07: what is served has the digest that was asked for', async () => {
    const other = variant({});
    const wrong = await putManifest(alice, `acme/app/manifests/${manifest.digest}`, other);
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID']);
    for (const reference of ['1', manifest.digest]) {
      const got = await alice.ask({ path: `/v2/acme/app/manifests/${reference}` });
      expect(contentOf(got.bytes).digest).toBe(manifest.digest);
      expect(got.headers['docker-content-digest']).toBe(manifest.digest);
    }
  });

  it('E-08: sizes and embedded data that are not the content’s are refused', async () => {
    const data = layer.bytes.toString('base64');
    const wrong = [
      { size: LAYER.size + 1 },
      { size: LAYER.size - 1 },
      { size: -1 },
      { size: 2 ** 53 },
      { size: 0.5 },
      { size: null },
      { size: undefined },
      { data: `${data.slice(0, -4)}AAAA` },
      { data: Buffer.from('x').toString('base64') },
      { data: '%%%%' },
      { data: 7 },
      { digest: layer.digest.toUpperCase() },
      { digest: 'sha256:../../etc/passwd' },
      { digest: null },
      { mediaType: 7 },
      { urls: 'http://x' },
      { urls: ['javascript:alert(1)'] },
      { urls: ['file:///etc/passwd'] },
    ];
    for (const change of wrong) expect(await refusalOf(variant({ layers: [{ ...LAYER, ...change }] }))).toBe(REFUSED);
    for (const change of wrong.slice(0, 4))
      expect(await refusalOf(variant({ config: { ...CONFIG, ...change } }))).toBe(REFUSED);
    expect(await refusalOf(variant({ layers: [LAYER, { ...LAYER, size: LAYER.size + 1 }] }))).toBe(REFUSED);
    const child = descriptorOf(manifest, MANIFEST_TYPE);
    expect(await refusalOf(indexOf([{ ...child, size: child.size + 1 }]), INDEX_TYPE)).toBe(REFUSED);
    expect((await put(variant({ layers: [{ ...LAYER, data }] }))).status).toBe(201);
  });

  it('E-09: the URLs of foreign layers are stored and never fetched', async () => {
    let hits = 0;
    const canary = createServer((_request, response) => {
      hits += 1;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(canary, 'listening');
    const urls = [`http://127.0.0.1:${(canary.address() as AddressInfo).port}/layer`];
    const foreign = {
      ...descriptorOf(contentOf('elsewhere'), 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
      urls,
    };
    const content = variant({ layers: [LAYER, foreign] });
    expect((await put(content)).status).toBe(201);
    expect((await alice.ask({ path: `/v2/acme/app/manifests/${content.digest}` })).status).toBe(200);
    expect((await alice.ask({ path: `/v2/acme/app/blobs/${foreign.digest}` })).status).toBe(404);
    canary.close();
    expect(hits).toBe(0);
  });

  it('E-10: indexes are bounded, name an entry once or often, and cannot make a circle', async () => {
    const child = descriptorOf(manifest, MANIFEST_TYPE);
    const often = indexOf(Array.from({ length: 10_000 }, () => child));
    expect((await put(often, INDEX_TYPE)).status).toBe(201);
    expect(await refusalOf(indexOf(Array.from({ length: 10_001 }, () => child)), INDEX_TYPE)).toBe(REFUSED);
    const missing = indexOf(
      Array.from({ length: 5000 }, (_, at) => descriptorOf(contentOf(`missing ${at}`), MANIFEST_TYPE)),
    );
    const refused = await put(missing, INDEX_TYPE);
    expect([refused.status, codeOf(refused)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    expect(jsonOf<{ errors: [{ detail: unknown[] }] }>(refused).errors[0].detail).toHaveLength(5000);
    let inner = indexOf([child]);
    for (let depth = 0; depth < 50; depth++) {
      expect((await put(inner, INDEX_TYPE)).status).toBe(201);
      inner = indexOf([descriptorOf(inner, INDEX_TYPE)]);
    }
  });

  it('E-11: annotations are bounded, and text', async () => {
    const script = {
      'org.opencontainers.image.url': 'javascript:alert(1)',
      title: '<script>alert(1)</script>\u001b[31m',
    };
    const stored = variant({
      annotations: script,
      subject: descriptorOf(manifest, MANIFEST_TYPE),
      artifactType: 'application/x.script',
    });
    expect((await put(stored)).status).toBe(201);
    const got = await alice.ask({ path: `/v2/acme/app/manifests/${stored.digest}` });
    expect(got.headers['x-content-type-options']).toBe('nosniff');
    expect(got.headers['content-security-policy']).toContain('sandbox');
    const list = await alice.ask({ path: `/v2/acme/app/referrers/${manifest.digest}` });
    expect(list.headers['content-type']).toBe(INDEX_TYPE);
    const wide = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`key-${at}`, '']));
    expect(await refusalOf(variant({ annotations: wide }))).toBe(REFUSED);
    expect(await refusalOf(variant({ annotations: { long: 'x'.repeat(70_000) } }))).toBe(REFUSED);
    expect(await refusalOf(variant({ annotations: { number: 7 } }))).toBe(REFUSED);
    const tooLarge = await put(variant({ annotations: { long: 'x'.repeat(10 * MIB) } })).catch(() => ({ status: 413 }));
    expect(tooLarge.status).toBe(413);
  });

  it('K-10: a blob is never a page', async () => {
    const page = contentOf('<!doctype html><script>alert(document.domain)</script>');
    expect((await pushBlob(alice, 'acme/app', page)).status).toBe(201);
    const { headers } = await alice.ask({
      path: `/v2/acme/app/blobs/${page.digest}`,
      headers: { Accept: 'text/html' },
    });
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain('sandbox');
    expect(headers['content-disposition']).toBe('attachment');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('ranges: those that cannot be are 416 or the whole, and bytes are never others’', async () => {
    const headers = bearer(await alice.token('repository:acme/app:pull'));
    const path = `/v2/acme/app/blobs/${layer.digest}`;
    const size = layer.bytes.length;
    for (const range of ['bytes=5-2', `bytes=${size}-`, `bytes=${size}-${size + 5}`, 'bytes=-0']) {
      const answer = await send({ path, headers: { ...headers, Range: range } });
      expect([range, answer.status, answer.headers['content-range']]).toEqual([range, 416, `bytes */${size}`]);
    }
    const odd = [
      'bytes=',
      'bytes',
      'bytes=a-b',
      'items=0-1',
      'bytes=0-1,2-3',
      'bytes=--1',
      'bytes=1-2-3',
      'bytes= 0 - 1',
      `bytes=0-${'9'.repeat(40)}`,
      `bytes=${'9'.repeat(40)}-`,
      `bytes=${'0-0,'.repeat(2000)}0-0`,
    ];
    for (const range of odd) {
      const answer = await send({ path, headers: { ...headers, Range: range } });
      expect(`${range}: ${answer.status}`).toMatch(/: (?:200|206|416)$/);
      expect(answer.status === 416 || layer.bytes.includes(answer.bytes)).toBe(true);
    }
  });

  it('tags move as a whole when pushed at once', async () => {
    const images = Array.from({ length: 8 }, (_, at) => imageOf(`race ${at}`));
    for (const image of images) await pushImage(carol, 'acme/app', `race-${image.manifest.digest.slice(7, 15)}`, image);
    await Promise.all(images.map((image) => putManifest(carol, 'acme/app/manifests/race', image.manifest)));
    const got = await carol.ask({ path: '/v2/acme/app/manifests/race' });
    expect(contentOf(got.bytes).digest).toBe(got.headers['docker-content-digest']);
    expect(images.map((image) => image.manifest.digest)).toContain(got.headers['docker-content-digest']);
    expect((await bob.ask({ path: '/v2/acme/app/manifests/race' })).status).toBe(401);
  });
});
