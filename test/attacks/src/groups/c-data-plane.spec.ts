import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createRepository, deleteRepository, setVisibility, revokeGrant, putGrant } from '@entrepot/access';
import { parseRepositoryName } from '@entrepot/oci';
import { codeOf, jsonOf, lookOf, type Answer, type Ask } from '../wire/http.js';
import { sendRaw } from '../wire/raw.js';
import {
  contentOf,
  descriptorOf,
  imageOf,
  indexOf,
  INDEX_TYPE,
  IMAGES,
  LAYER_TYPE,
  MANIFEST_TYPE,
} from '../world/contents.js';
import {
  acmeReader,
  alice,
  anonymous,
  bearer,
  bob,
  carol,
  personOf,
  pushBlob,
  pushImage,
  putManifest,
  root,
  send,
  type Person,
} from '../world/person.js';
import { asOperator, fillRepositories, makeUser } from '../world/product.js';
import { until, WITHDRAWAL_MS } from '../world/until.js';

const SECRET = IMAGES['globex/secret'];
const APP = IMAGES['acme/app'];

/** Every way to read a repository. */
function readsOf(repository: string, { layer, manifest } = SECRET): Ask[] {
  const base = `/v2/${repository}`;
  const gets: Ask[] = [
    { path: `${base}/manifests/1` },
    { path: `${base}/manifests/${manifest.digest}` },
    { path: `${base}/blobs/${layer.digest}` },
    { path: `${base}/blobs/${layer.digest}`, headers: { Range: 'bytes=0-3' } },
    { path: `${base}/referrers/${manifest.digest}` },
    { path: `${base}/tags/list` },
    { path: `${base}/blobs/uploads/00000000-0000-4000-8000-000000000000` },
  ];
  return gets.flatMap((get) => [get, { ...get, method: 'HEAD' }]);
}

/** What an answer shows of `globex/secret` beyond a 401. */
function shownBy({ status, headers, text }: Answer): string[] {
  const names = ['docker-content-digest', 'etag', 'content-range', 'oci-subject'].filter((name) => name in headers);
  const contents = [SECRET.layer.digest, SECRET.layer.bytes.toString()].filter((content) => text.includes(content));
  return [...(status === 401 ? [] : [`status ${status}`]), ...names, ...contents];
}

/** The look of a refusal with the repository's name taken out. */
function namelessLook(answer: Answer, repository: string): string {
  return JSON.stringify(lookOf(answer)).replaceAll(repository, 'NAME');
}

async function mount(person: Person, query: string): Promise<Answer> {
  return person.ask({ method: 'POST', path: `/v2/acme/app/blobs/uploads/?${query}` });
}

describe('C: authorization of the data plane', () => {
  beforeAll(fillRepositories);

  it('C-01: strangers see nothing of a private repository on any route', async () => {
    for (const ask of readsOf('globex/secret')) {
      const challenged = await send(ask);
      expect(shownBy(challenged)).toEqual([]);
      expect(challenged.headers['www-authenticate']).toMatch(/scope="repository:globex\/secret:pull(,push)?"$/);
      for (const person of [anonymous, alice, carol, acmeReader]) {
        const refused = await person.ask(ask);
        expect(shownBy(refused)).toEqual([]);
        expect(refused.headers['www-authenticate']).toContain('error="insufficient_scope"');
      }
    }
  });

  it('C-01: a token for one repository opens no other, for reading or writing', async () => {
    const token = await alice.token('repository:acme/app:pull,push,delete');
    for (const ask of readsOf('globex/secret'))
      expect(shownBy(await send({ ...ask, headers: { ...ask.headers, ...bearer(token) } }))).toEqual([]);
    const headers = bearer(token);
    const writes: Ask[] = [
      { method: 'POST', path: '/v2/globex/secret/blobs/uploads/' },
      { method: 'PUT', path: '/v2/globex/secret/manifests/1', body: SECRET.manifest.bytes },
      { method: 'DELETE', path: '/v2/globex/secret/manifests/1' },
      { method: 'DELETE', path: `/v2/globex/secret/blobs/${SECRET.layer.digest}` },
    ];
    for (const ask of writes) expect(shownBy(await send({ ...ask, headers }))).toEqual([]);
  });

  it('C-02: no other spelling of a path, and no header, opens a route', async () => {
    const { port } = inject('product');
    const token = await alice.token('repository:acme/app:pull');
    const canonical = '/v2/globex/secret/manifests/1';
    const spellings = [
      `${canonical}/`,
      `${canonical}?x`,
      `${canonical}?name=acme/app`,
      `${canonical}.json`,
      `${canonical};x`,
      `/${canonical}`,
      '/v2//globex/secret/manifests/1',
      '/v2/./globex/secret/manifests/1',
      '/v2/acme/app/../../globex/secret/manifests/1',
      '/v2/acme/app/manifests/../../../globex/secret/manifests/1',
      '/v2/acme/app/%2e%2e/%2e%2e/globex/secret/manifests/1',
      '/v2/globex%2Fsecret/manifests/1',
      '/v2/globex%252Fsecret/manifests/1',
      '/v2/globex\\secret/manifests/1',
      '/v2/Globex/secret/manifests/1',
      '/V2/globex/secret/manifests/1',
      '/v2/globex/secret/Manifests/1',
      '/v2/globex/secret/manifests%2F1',
      '/%76%32/globex/secret/manifests/1',
      '/v2/globex/secret/manifests/%31',
      'http://127.0.0.1/v2/globex/secret/manifests/1',
      'http://acme/v2/globex/secret/manifests/1',
      `*`,
    ];
    const override = `X-HTTP-Method-Override: GET\r\nX-Original-URL: /v2/acme/app/manifests/1\r\nX-Rewrite-URL: /v2/acme/app/manifests/1\r\n`;
    for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
      for (const spelling of spellings) {
        const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n${override}`;
        const { statuses, text } = await sendRaw(port, `GET ${spelling} ${version}\r\n${head}\r\n`);
        expect([spelling, statuses.length]).toEqual([spelling, 1]);
        expect(`${spelling}: ${statuses[0]}`).toMatch(/: (?:400|401|404)$/);
        expect(text).not.toContain(SECRET.layer.digest);
      }
    }
  });

  it('C-02: rewriting headers do not turn a refused request into an allowed one', async () => {
    const token = await alice.token('repository:acme/app:pull');
    const headers = {
      ...bearer(token),
      'X-HTTP-Method-Override': 'DELETE',
      'X-Original-URL': '/v2/globex/secret/manifests/1',
    };
    const answer = await send({ path: '/v2/acme/app/manifests/1', headers });
    expect(answer.status).toBe(200);
    expect(answer.headers['docker-content-digest']).toBe(APP.manifest.digest);
  });

  it('C-03: a private repository, a missing one and a missing namespace get the same answer', async () => {
    for (const person of [anonymous, alice]) {
      const looks = await Promise.all(
        ['globex/secret', 'globex/nothing', 'nobody/at-all'].map(async (repository) => {
          const answers: string[] = [];
          for (const ask of readsOf(repository)) {
            answers.push(namelessLook(await send(ask), repository), namelessLook(await person.ask(ask), repository));
          }
          const post: Ask = { method: 'POST', path: `/v2/${repository}/blobs/uploads/` };
          answers.push(namelessLook(await person.ask(post), repository));
          return answers;
        }),
      );
      expect(looks[1]).toEqual(looks[0]);
      expect(looks[2]).toEqual(looks[0]);
    }
  });

  it('C-03: so do Basic credentials that are sent directly', async () => {
    const headers = { Authorization: alice.basic };
    const looks = await Promise.all(
      ['globex/secret', 'globex/nothing', 'nobody/at-all'].map(async (repository) =>
        namelessLook(await send({ path: `/v2/${repository}/manifests/1`, headers }), repository),
      ),
    );
    expect(new Set(looks).size).toBe(1);
    expect((await send({ path: '/v2/acme/app/manifests/1', headers })).status).toBe(200);
  });

  it('C-04: what a push creates is private', async () => {
    const user = await makeUser('creator');
    await pushImage(user, `${user.name}/fresh`, '1', imageOf(user.name));
    const ask = { path: `/v2/${user.name}/fresh/manifests/1` };
    expect((await user.ask(ask)).status).toBe(200);
    expect((await anonymous.ask(ask)).status).toBe(401);
    expect((await bob.ask(ask)).status).toBe(401);
  });

  it('C-04: nobody creates in a namespace of others, nor in library', async () => {
    for (const repository of ['carol/mine', 'globex/mine', 'library/mine', 'mine', 'nobody/mine', 'acme/by-a-member']) {
      const answer = await alice.ask({ method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
      expect([repository, answer.status]).toEqual([repository, 401]);
    }
    expect((await carol.ask({ method: 'POST', path: '/v2/acme/by-the-owner/blobs/uploads/' })).status).toBe(202);
    expect((await root.ask({ method: 'POST', path: '/v2/by-root/blobs/uploads/' })).status).toBe(202);
  });

  it('C-05: the catalog shows what the caller may pull, page by page', async () => {
    const all: string[] = [];
    let path: string | undefined = '/v2/_catalog?n=2';
    while (path !== undefined) {
      const answer = await alice.ask({ path });
      const { repositories } = jsonOf<{ repositories: string[] }>(answer);
      all.push(...repositories);
      path = /<([^>]+)>; rel="next"/.exec(String(answer.headers['link'] ?? ''))?.[1];
    }
    expect(all).toEqual(expect.arrayContaining(['acme/app', 'acme/pub']));
    expect(all.filter((name) => !name.startsWith('acme/'))).toEqual([]);
    const forReader = jsonOf<{ repositories: string[] }>(await acmeReader.ask({ path: '/v2/_catalog' }));
    expect(forReader.repositories).toEqual(['acme/app', 'acme/pub']);
    for (const query of ['last=globex/r', 'last=globex', 'n=1000&last=zzz']) {
      const { repositories } = jsonOf<{ repositories: string[] }>(await alice.ask({ path: `/v2/_catalog?${query}` }));
      expect(repositories.join()).not.toContain('globex');
    }
    expect((await anonymous.ask({ path: '/v2/_catalog' })).status).toBe(401);
  });

  it('C-06: a digest of another repository is unknown in one’s own', async () => {
    const answer = await alice.ask({ path: `/v2/acme/app/manifests/${SECRET.manifest.digest}` });
    expect(answer.status).toBe(404);
    expect(codeOf(answer)).toBe('MANIFEST_UNKNOWN');
    const missing = await alice.ask({ path: `/v2/acme/app/manifests/${contentOf('nowhere').digest}` });
    const looks = [answer, missing].map((refusal) =>
      JSON.stringify(lookOf(refusal)).replaceAll(/sha256:[0-9a-f]{64}/g, 'D'),
    );
    expect(looks[0]).toBe(looks[1]);
  });

  it('C-07: a mount from a private repository of others starts an upload, as for a missing blob', async () => {
    const queries = [
      `mount=${SECRET.layer.digest}&from=globex/secret`,
      `mount=${contentOf('nowhere').digest}&from=globex/secret`,
      `mount=${SECRET.layer.digest}&from=globex/nothing`,
      `mount=${SECRET.layer.digest}&from=acme/app`,
    ];
    const shapes = [];
    for (const query of queries) {
      const answer = await mount(alice, query);
      expect([query, answer.status]).toEqual([query, 202]);
      shapes.push(Object.keys(answer.headers).toSorted());
    }
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    expect((await alice.ask({ path: `/v2/acme/app/blobs/${SECRET.layer.digest}` })).status).toBe(404);
  });

  it('C-07: not even with a token that names the source, or is good for mounts at large', async () => {
    const scopes = ['repository:acme/app:pull,push', 'repository:globex/secret:pull', 'registry:mount:pull'];
    const headers = bearer(await alice.token(...scopes));
    for (const query of [`mount=${SECRET.layer.digest}&from=globex/secret`, `mount=${SECRET.layer.digest}`]) {
      const answer = await send({ method: 'POST', path: `/v2/acme/app/blobs/uploads/?${query}`, headers });
      expect(answer.status).toBe(202);
    }
  });

  it('C-08: a mount without source, or from a name that is none, never opens others’ blobs', async () => {
    const { digest } = SECRET.layer;
    const queries = [
      `mount=${digest}`,
      `mount=${digest}&from=`,
      `mount=${digest}&from=Globex/Secret`,
      `mount=${digest}&from=globex%2Fsecret`,
      `mount=${digest}&from=acme/app&from=globex/secret`,
      `mount=${digest}&from=globex/secret&from=acme/app`,
      `mount=${digest}&from=../globex/secret`,
      `mount=${digest}&from=acme/pub`,
      `mount=${digest}&mount=${APP.layer.digest}&from=acme/pub`,
    ];
    for (const query of queries) expect([query, (await mount(alice, query)).status]).toEqual([query, 202]);
    expect((await mount(alice, 'mount=sha256:zz&from=acme/pub')).status).toBe(400);
    expect((await mount(alice, `mount=${IMAGES['acme/pub'].layer.digest}&from=acme%2Fpub`)).status).toBe(201);
  });

  it('C-09: a manifest may only name blobs that its own repository holds', async () => {
    const stolen = imageOf('acme/app', { layers: [descriptorOf(SECRET.layer, LAYER_TYPE)] });
    const answer = await putManifest(alice, 'acme/app/manifests/stolen', stolen.manifest);
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe('MANIFEST_BLOB_UNKNOWN');
    const unknown = imageOf('acme/app', { layers: [descriptorOf(contentOf('globex/secre7'), LAYER_TYPE)] });
    const other = await putManifest(alice, 'acme/app/manifests/stolen', unknown.manifest);
    expect([other.status, codeOf(other)]).toEqual([answer.status, codeOf(answer)]);
  });

  it('C-10: that others hold a blob is not seen, before or after they push it', async () => {
    const blob = contentOf(`shared ${Date.now()}`);
    const head: Ask = { method: 'HEAD', path: `/v2/acme/app/blobs/${blob.digest}` };
    const before = await alice.ask(head);
    expect((await pushBlob(bob, 'globex/secret', blob)).status).toBe(201);
    const after = await alice.ask(head);
    expect(before.status).toBe(404);
    expect(lookOf(after)).toEqual(lookOf(before));
    expect((await pushBlob(alice, 'acme/app', blob)).status).toBe(201);
  });

  it('C-11: an index cannot adopt a manifest of another repository', async () => {
    const index = indexOf([descriptorOf(SECRET.manifest, MANIFEST_TYPE)]);
    const answer = await putManifest(alice, 'acme/app/manifests/adopted', index, INDEX_TYPE);
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe('MANIFEST_BLOB_UNKNOWN');
    expect((await alice.ask({ path: `/v2/acme/app/manifests/${SECRET.manifest.digest}` })).status).toBe(404);
  });

  it('C-12: what was deleted here does not come back because it is still held elsewhere', async () => {
    const image = imageOf(`deleted ${Date.now()}`);
    await pushImage(carol, 'acme/app', 'gone', image);
    await pushImage(bob, 'globex/secret', 'kept', image);
    const paths = [`manifests/${image.manifest.digest}`, `blobs/${image.layer.digest}`];
    for (const path of paths)
      expect((await carol.ask({ method: 'DELETE', path: `/v2/acme/app/${path}` })).status).toBe(202);
    for (const path of paths) expect((await bob.ask({ path: `/v2/globex/secret/${path}` })).status).toBe(200);
    for (const path of paths) expect((await alice.ask({ path: `/v2/acme/app/${path}` })).status).toBe(404);
    expect((await alice.ask({ path: '/v2/acme/app/manifests/gone' })).status).toBe(404);
  });

  it('C-17: referrers are those of the repository, whatever the subject, and come in pages', async () => {
    const subject = descriptorOf(SECRET.manifest, MANIFEST_TYPE);
    const artifact = imageOf('acme/app', { subject, artifactType: 'application/x.attack' });
    const put = await putManifest(alice, `acme/app/manifests/${artifact.manifest.digest}`, artifact.manifest);
    expect(put.status).toBe(201);
    expect(put.headers['oci-subject']).toBe(subject.digest);
    const path = `/referrers/${subject.digest}`;
    const own = jsonOf<{ manifests: { digest: string }[] }>(await alice.ask({ path: `/v2/acme/app${path}` }));
    expect(own.manifests.map(({ digest }) => digest)).toEqual([artifact.manifest.digest]);
    const others = jsonOf<{ manifests: unknown[] }>(await bob.ask({ path: `/v2/globex/secret${path}` }));
    expect(others.manifests).toEqual([]);
  });

  it('C-17: more than a thousand referrers of one subject come in bounded pages, each once', async () => {
    const user = await makeUser('annotator');
    const repository = `${user.name}/annotated`;
    const base = imageOf(repository);
    await pushImage(user, repository, '1', base);
    const headers = {
      ...bearer(await user.token(`repository:${repository}:pull,push`)),
      'Content-Type': MANIFEST_TYPE,
    };
    const subject = descriptorOf(base.manifest, MANIFEST_TYPE);
    for (let first = 0; first < 1100; first += 50) {
      const puts = Array.from({ length: 50 }, (_, index) => {
        const { manifest } = imageOf(repository, { subject, annotations: { number: String(first + index) } });
        return send({
          method: 'PUT',
          path: `/v2/${repository}/manifests/${manifest.digest}`,
          headers,
          body: manifest.bytes,
        });
      });
      for (const { status } of await Promise.all(puts)) expect(status).toBe(201);
    }
    const seen: string[] = [];
    let path: string | undefined = `/v2/${repository}/referrers/${subject.digest}`;
    let pages = 0;
    for (; path !== undefined; pages++) {
      const answer: Answer = await send({ path, headers: { Authorization: headers.Authorization } });
      expect(answer.bytes.length).toBeLessThan(4 * 1024 * 1024);
      seen.push(...jsonOf<{ manifests: { digest: string }[] }>(answer).manifests.map(({ digest }) => digest));
      path = /<([^>]+)>; rel="next"/.exec(String(answer.headers['link'] ?? ''))?.[1];
    }
    expect(pages).toBe(2);
    expect(new Set(seen).size).toBe(1100);
    expect(seen).toHaveLength(1100);
  });
});

describe('C: rights that end', () => {
  beforeAll(fillRepositories);

  it('B-11: a token of a deleted repository does not open its successor of the same name', async () => {
    const name = parseRepositoryName('acme/reborn');
    await pushImage(carol, name, '1', imageOf('first life'));
    const old = await carol.token(`repository:${name}:pull,push,delete`, 'repository:acme/app:pull,push');
    await asOperator((administration) => deleteRepository(administration, name));
    const successor = imageOf('second life');
    await pushImage(root, name, '1', successor);
    const asks: Ask[] = [
      { path: `/v2/${name}/manifests/1` },
      { path: `/v2/${name}/manifests/${successor.manifest.digest}` },
      { path: `/v2/${name}/blobs/${successor.layer.digest}` },
      { path: `/v2/${name}/tags/list` },
      { method: 'DELETE', path: `/v2/${name}/manifests/1` },
      { method: 'POST', path: `/v2/${name}/blobs/uploads/` },
    ];
    for (const ask of asks) {
      const answer = await send({ ...ask, headers: bearer(old) });
      expect([ask, answer.status]).toEqual([ask, 401]);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    }
    const query = `mount=${successor.layer.digest}&from=${name}`;
    const mounted = await send({ method: 'POST', path: `/v2/acme/app/blobs/uploads/?${query}`, headers: bearer(old) });
    expect(mounted.status).not.toBe(201);
  });

  it('B-11: a token from before the repository carries its bearer’s push, and opens nobody else’s', async () => {
    const own = 'acme/coming';
    const token = await carol.token(`repository:${own}:pull,push`);
    const image = imageOf(own);
    const headers = bearer(token);
    for (const { digest, bytes } of [image.config, image.layer]) {
      const path = `/v2/${own}/blobs/uploads/?digest=${digest}`;
      expect((await send({ method: 'POST', path, headers, body: bytes })).status).toBe(201);
    }
    const put = {
      method: 'PUT',
      path: `/v2/${own}/manifests/1`,
      headers: { ...headers, 'Content-Type': MANIFEST_TYPE },
    };
    expect((await send({ ...put, body: image.manifest.bytes })).status).toBe(201);
    expect((await send({ path: `/v2/${own}/manifests/1`, headers })).status).toBe(200);

    const others = 'acme/taken';
    const early = await carol.token(`repository:${others}:pull,push`);
    await pushImage(root, others, '1', imageOf(others));
    for (const ask of [
      { path: `/v2/${others}/manifests/1` },
      { method: 'POST', path: `/v2/${others}/blobs/uploads/` },
    ]) {
      expect((await send({ ...ask, headers: bearer(early) })).status).toBe(401);
    }
  });

  it('A-08: a grant taken back is felt within 5 s by a token that lives', async () => {
    const user = await makeUser('guest');
    const target = { to: { user: user.name }, on: { repository: 'acme/app' } } as const;
    await asOperator((administration) => putGrant(administration, target, 'read'));
    const ask = { path: '/v2/acme/app/manifests/1', headers: bearer(await user.token('repository:acme/app:pull')) };
    expect((await send(ask)).status).toBe(200);
    await asOperator((administration) => revokeGrant(administration, target));
    const tookMs = await until(async () => (await send(ask)).status === 401, WITHDRAWAL_MS);
    console.log(`A-08: a grant taken back was felt after ${Math.round(tookMs)} ms`);
    expect((await user.ask({ path: ask.path })).status).toBe(401);
  });

  it('A-08: made private, a repository is closed within 5 s, as a source of mounts too', async () => {
    const name = parseRepositoryName('globex/opened');
    await asOperator((administration) => createRepository(administration, { name, visibility: 'public' }));
    const image = imageOf(name);
    await pushImage(bob, name, '1', image);
    const ask = { path: `/v2/${name}/manifests/1` };
    const forAnyone = { ...ask, headers: bearer(await anonymous.token(`repository:${name}:pull`)) };
    const forAlice = bearer(await alice.token(`repository:${name}:pull`, 'repository:acme/app:pull,push'));
    expect((await send(forAnyone)).status).toBe(200);
    expect((await send({ ...ask, headers: forAlice })).status).toBe(200);
    await asOperator((administration) => setVisibility(administration, name, 'private'));
    const tookMs = await until(async () => (await send(forAnyone)).status === 401, WITHDRAWAL_MS);
    console.log(`A-08: a repository made private was closed after ${Math.round(tookMs)} ms`);
    expect((await send({ ...ask, headers: forAlice })).status).toBe(401);
    const query = `mount=${image.layer.digest}&from=${name}`;
    const mounted = await send({ method: 'POST', path: `/v2/acme/app/blobs/uploads/?${query}`, headers: forAlice });
    expect(mounted.status).not.toBe(201);
    expect((await alice.ask({ path: `/v2/acme/app/blobs/${image.layer.digest}` })).status).toBe(404);
    expect((await bob.ask(ask)).status).toBe(200);
  });
});

describe('B: what tokens are good for', () => {
  beforeAll(fillRepositories);

  it('B-08: each method needs its own action', async () => {
    const upload = '/v2/acme/app/blobs/uploads/00000000-0000-4000-8000-000000000000';
    const needs: [action: string, ask: Ask][] = [
      ['pull', { path: '/v2/acme/app/manifests/1' }],
      ['pull', { method: 'HEAD', path: '/v2/acme/app/manifests/1' }],
      ['pull', { path: `/v2/acme/app/blobs/${APP.layer.digest}` }],
      ['pull', { path: '/v2/acme/app/tags/list' }],
      ['pull', { path: `/v2/acme/app/referrers/${APP.manifest.digest}` }],
      ['push', { method: 'POST', path: '/v2/acme/app/blobs/uploads/' }],
      ['push', { method: 'GET', path: upload }],
      ['push', { method: 'PATCH', path: upload }],
      ['push', { method: 'PUT', path: `${upload}?digest=${APP.layer.digest}` }],
      ['push', { method: 'DELETE', path: upload }],
      ['push', { method: 'PUT', path: '/v2/acme/app/manifests/1' }],
      ['delete', { method: 'DELETE', path: '/v2/acme/app/manifests/missing' }],
      ['delete', { method: 'DELETE', path: `/v2/acme/app/manifests/${SECRET.manifest.digest}` }],
      ['delete', { method: 'DELETE', path: `/v2/acme/app/blobs/${SECRET.layer.digest}` }],
    ];
    for (const action of ['pull', 'push', 'delete']) {
      const headers = bearer(await alice.token(`repository:acme/app:${action}`));
      for (const [needed, ask] of needs) {
        const { status } = await send({ ...ask, headers });
        expect([ask, action, status === 401]).toEqual([ask, action, needed !== action]);
      }
    }
  });

  it('B-08: other methods are 405 or less, whoever asks', async () => {
    const headers = bearer(await alice.token('repository:acme/app:*'));
    for (const method of ['OPTIONS', 'TRACE', 'POST', 'PATCH', 'PROPFIND', 'PURGE', 'LINK']) {
      for (const path of [
        '/v2/acme/app/manifests/1',
        '/v2/',
        '/v2/_catalog',
        `/v2/acme/app/blobs/${APP.layer.digest}`,
      ]) {
        expect([method, path, (await send({ method, path, headers })).status]).toEqual([method, path, 405]);
        expect([401, 405]).toContain((await send({ method, path })).status);
      }
    }
    expect((await send({ method: 'BREW', path: '/v2/' }).catch(() => ({ status: 400 }))).status).toBe(400);
  });

  it('B-06: a reader who asks for everything gets to read', async () => {
    const token = await acmeReader.token('repository:acme/app:pull,push,delete,admin', 'repository:acme/app:*');
    const headers = bearer(token);
    expect((await send({ path: '/v2/acme/app/manifests/1', headers })).status).toBe(200);
    expect((await send({ method: 'POST', path: '/v2/acme/app/blobs/uploads/', headers })).status).toBe(401);
    expect((await send({ method: 'DELETE', path: '/v2/acme/app/manifests/1', headers })).status).toBe(401);
    expect((await personOf('acme-ci').ask({ method: 'POST', path: '/v2/acme/app/blobs/uploads/' })).status).toBe(202);
  });
});
