import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf, digestOf } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import type { Answer } from '@entrepot/testkit/registry-client';
import { afterEach, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { withDigest } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { connect } from '../world/target.js';

const NPM_START = ['npm', 'start', '--silent'];
const GONE_WITHIN_MS = 30_000;
const POLL_MS = 50;
const PUSHING_MS = 1_000;

/** What stops a product that was started by `npm start`, and who gets the signal. */
const STOPS: Record<string, (product: Entrepot) => unknown> = {
  'SIGTERM to npm': ({ pid }) => signalProcess(pid, 'SIGTERM'),
  'Ctrl-C, which reaches the whole foreground group': ({ pid }) => signalProcess(-pid, 'SIGINT'),
};

describe.each(Object.entries(STOPS))('%s', (_name, signal) => {
  let product: Entrepot | undefined;
  afterEach(() => product?.remove());

  it('lets running requests end, and leaves no process and all data behind', async () => {
    product = await startEntrepot({ command: NPM_START });
    const upload = await beginSlowUpload(product);
    signal(product);
    await untilRefused(product);
    expect((await upload.finish()).status).toBe(202);
    await untilGone(product);
    expect(product.output()).toContain('entrepot: stopped');

    await product.restart();
    const client = connect(product);
    const state = await client.send({ method: 'GET', path: upload.location });
    expect(state.headers['range']).toBe(`0-${upload.bytes.length - 1}`);
    const digest = digestOf(upload.bytes);
    const finished = await client.send({ method: 'PUT', path: withDigest(state.headers.location ?? '', digest) });
    expect(finished.status).toBe(201);
    client.close();
  });
});

describe('SIGTERM in the middle of pushes', () => {
  let product: Entrepot | undefined;
  afterEach(() => product?.remove());

  it('ends in good order, with no wrong answer, and loses nothing', async () => {
    product = await startEntrepot();
    const journal = new Journal();
    const pushers = startPushers(product, journal);
    await delay(PUSHING_MS);
    expect(await product.stop()).toBe(0);
    await pushers.stop();
    console.log(journal.summary());
    await product.restart();
    expect(journal.blobs.length).toBeGreaterThan(0);
    expect(await checkJournal(product, journal)).toEqual([]);
  });
});

/** An upload of which half is sent, and the rest when told. */
async function beginSlowUpload(product: Entrepot) {
  const { bytes } = contentOf('application/octet-stream', randomBytes(512 * 1024));
  const client = connect(product);
  const opened = await client.send({ method: 'POST', path: '/v2/admin/slow/blobs/uploads/' });
  const location = opened.headers.location ?? '';
  const body = new PassThrough();
  const answer = client.send({ method: 'PATCH', path: location, body });
  body.write(bytes.subarray(0, bytes.length / 2));
  await untilReceiving(product);
  return {
    bytes,
    location,
    finish: async (): Promise<Answer> => {
      body.end(bytes.subarray(bytes.length / 2));
      return answer.finally(() => client.close());
    },
  };
}

/** Waits until the product says that a request runs. */
async function untilReceiving({ opsPort }: Entrepot): Promise<void> {
  await until(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
    return /^http_requests_in_flight\S* [1-9]/m.test(metrics);
  });
}

/** New connections are refused, or answered that it is no longer ready. */
function untilRefused({ url }: Entrepot): Promise<void> {
  return until(async () => {
    const answer = await fetch(`${url}/readyz`, { headers: { Connection: 'close' } }).catch(() => undefined);
    return answer?.status !== 200;
  });
}

function untilGone(product: Entrepot): Promise<void> {
  return until(() => product.processes().length === 0);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + GONE_WITHIN_MS; !(await isSo()); await delay(POLL_MS)) {
    if (performance.now() > deadline) throw new Error(`not within ${GONE_WITHIN_MS / 1000} s`);
  }
}
