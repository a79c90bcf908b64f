import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { appendPiece, openUpload } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const REPOSITORY = 'admin/drained';
const PIECE_BYTES = 300_000;
const BLOB_BYTES = 3 * PIECE_BYTES;

describe('FT-48: a replica that is told to stop in the middle of a PATCH', () => {
  let replicas: Replicas;
  let left: Entrepot;

  beforeAll(async () => {
    replicas = await startReplicas({ settings: { ENTREPOT_HTTP_DRAIN_TIMEOUT: '1s' } });
    left = await replicas.start();
  });
  afterAll(() => replicas.remove());

  it('ends when its grace is over, and another one goes on with what was acknowledged', async () => {
    const stopping = await replicas.start();
    const client = connect(replicas.target(stopping));
    const journal = new Journal();
    const content = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));
    const upload = await openUpload({ client, journal, repository: REPOSITORY }, content);
    await appendPiece({ client, journal, repository: REPOSITORY }, upload, PIECE_BYTES);

    // A body of which the end never comes.
    const body = new PassThrough();
    body.write(content.bytes.subarray(PIECE_BYTES, 2 * PIECE_BYTES));
    const patching = client.send({ method: 'PATCH', path: upload.location, body }).then(
      ({ status }) => status,
      () => 'cut',
    );
    await until(() => isReceiving(stopping), 'the body to arrive');
    expect(await stopping.stop()).toBe(0);
    expect(['cut', 503]).toContain(await patching);
    body.destroy();
    client.close();
    expect(await checkJournal(replicas.target(left), journal)).toEqual([]);
  });
});

async function isReceiving({ opsPort }: Entrepot): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  return /^http_requests_in_flight\S* [1-9]/m.test(metrics);
}
