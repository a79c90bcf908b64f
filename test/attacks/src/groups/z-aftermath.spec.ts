import { beforeAll, describe, expect, inject, it } from 'vitest';
import { peakResidentBytes } from '@entrepot/testkit/processes';
import { jsonOf, sendHttp } from '../wire/http.js';
import { sendRaw } from '../wire/raw.js';
import { alice, basicOf, bearer, bob, send, tokenPath, type TokenAnswer } from '../world/person.js';
import { fillRepositories, readOutput } from '../world/product.js';
import { PLANTED } from '../world/settings.js';

const MIB = 1024 * 1024;
/** What Node's collector may let pile up under such load; far below what kept bodies or connections would take. */
const MEMORY_BOUND_BYTES = 1536 * MIB;

/** What no output may hold, whoever sent it or made it. */
const SECRET_SHAPES: Readonly<Record<string, RegExp>> = {
  'a signed token': /eyJ[\w-]{10,}\.[\w-]{20,}\.[\w-]{60,}/,
  'a refresh token': /entrepot_rt_[\w-]{43}/,
  'Basic credentials': /Basic [A-Za-z0-9+/]{8,}={0,2}/i,
  'a bearer token': /Bearer [\w-]{20,}/,
  'a password hash': /\$(?:argon2id|2[aby])\$/,
  'a private key': /PRIVATE KEY/,
  'upload state': /v1\.\d+\.[\w-]{43}/,
};

describe('after all attacks', () => {
  beforeAll(fillRepositories);

  it('the product is well, in the same process and in bounded memory', async () => {
    const { pid, opsPort } = inject('product');
    expect((await send({ path: '/readyz' })).status).toBe(200);
    const health = await sendHttp(opsPort, { path: '/health' });
    expect(jsonOf<{ ok: boolean }>(health).ok).toBe(true);
    const peakBytes = peakResidentBytes(pid);
    console.log(`the attacked process took ${Math.round(peakBytes / MIB)} MiB at most`);
    expect(peakBytes).toBeLessThan(MEMORY_BOUND_BYTES);
  });

  it('no request failed by a fault of the product, and Postgres stayed up', () => {
    const faults = readOutput()
      .split('\n')
      .filter((line) => line.startsWith('{') && /"level":"(error|fatal)"/.test(line));
    expect(faults).toEqual([]);
  });

  it('L-02: what was written at the level trace, failures included, holds no secret', async () => {
    const offline = { path: tokenPath([], { offline_token: 'true' }), headers: { Authorization: alice.basic } };
    const { token, refresh_token: refresh = '' } = jsonOf<TokenAnswer>(await send(offline));
    const failing = [
      { path: '/v2/', headers: { Authorization: basicOf('alice', 'wrong planted'), Cookie: `session=${token}` } },
      { path: `/v2/${token}/manifests/1` },
      { path: `/v2/acme/app/tags/list?token=${token}`, headers: { Referer: `http://x/?token=${token}` } },
      {
        path: `/auth/token?password=${PLANTED.userPassword}&refresh_token=${refresh}`,
        headers: { 'User-Agent': `x Bearer ${token}` },
      },
      { path: '/v2/', headers: bearer(refresh) },
    ];
    for (const ask of failing) await send({ ...ask, localAddress: '127.0.5.1' });
    const output = readOutput();
    const { databaseUrl } = inject('product');
    const planted = [
      ...Object.values(PLANTED),
      token,
      refresh,
      'wrong planted',
      new URL(databaseUrl).password,
      alice.basic ?? '',
    ];
    const found = planted.filter((secret) => output.includes(secret));
    expect(found).toEqual([]);
    const shown = Object.entries(SECRET_SHAPES).filter(([, shape]) => shape.test(output));
    expect(shown.map(([what]) => what)).toEqual([]);
  });

  it('L-02: metrics, health and whatever else the ports offer hold no secret, and no debug route exists', async () => {
    const { opsPort, port } = inject('product');
    const paths = [
      '/metrics',
      '/health',
      '/debug',
      '/debug/pprof',
      '/debug/vars',
      '/json',
      '/env',
      '/config',
      '/heapdump',
      '/actuator',
      '/',
    ];
    for (const path of paths) {
      const answers = [await sendHttp(opsPort, { path }), await sendHttp(port, { path })];
      const texts = answers.map(({ text }) => text).join('\n');
      for (const secret of Object.values(PLANTED)) expect(texts).not.toContain(secret);
      for (const shape of Object.values(SECRET_SHAPES)) expect(texts).not.toMatch(shape);
      const isServed = path === '/metrics' || path === '/health';
      expect(answers.map(({ status }) => status)).toEqual([isServed ? 200 : 404, 404]);
    }
  });

  it('L-02: metrics have no label that clients can fill', async () => {
    const { text } = await sendHttp(inject('product').opsPort, { path: '/metrics' });
    for (const name of ['acme', 'globex', 'alice', 'nobody', 'sha256', '127.0.']) expect(text).not.toContain(name);
    expect(text.split('\n').length).toBeLessThan(3000);
  });

  it('J-07: each line of the log is one object, and each of the access log one line, whatever clients sent', async () => {
    const hostile = [
      'a","level":"fatal',
      String.raw`\u001b[31m`,
      'a\u009b31m\u0085b',
      '\u00e2\u0080\u00a8',
      '%0a{"level":"fatal"}',
      'x'.repeat(20_000),
    ];
    for (const text of hostile) {
      const headers = `Host: x\r\nUser-Agent: ${text}\r\nReferer: ${text}\r\nX-Request-Id: ${text}\r\nConnection: close\r\n`;
      await sendRaw(inject('product').port, `GET /v2/${encodeURI(text.slice(0, 100))} HTTP/1.1\r\n${headers}\r\n`);
    }
    // The line feed separates the lines.
    const unprintable = [...readOutput().matchAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu)].filter(
      ([character]) => character !== '\n',
    );
    expect(unprintable).toEqual([]);
    const lines = readOutput()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it('the two tenants hold what they held', async () => {
    expect((await alice.ask({ path: '/v2/acme/app/manifests/1' })).status).toBe(200);
    expect((await bob.ask({ path: '/v2/globex/secret/manifests/1' })).status).toBe(200);
    expect((await alice.ask({ path: '/v2/globex/secret/manifests/1' })).status).toBe(401);
  });
});
