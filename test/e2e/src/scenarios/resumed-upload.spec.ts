import { createHash, randomBytes } from 'node:crypto';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { digestOf } from '@entrepot/testkit/images';
import { openRegistry, type Answer, type RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MIB = 1024 * 1024;
const BLOB_BYTES = 48 * MIB;
const ACKNOWLEDGED_BYTES = 16 * MIB;
const PIECE_BYTES = 256 * 1024;
const OCTETS = { 'Content-Type': 'application/octet-stream' };

describe('an upload', () => {
  let product: Entrepot;
  let client: RegistryClient;
  beforeAll(async () => {
    product = await startEntrepot();
    client = connect();
  });
  afterAll(async () => {
    client.close();
    await product.remove();
  });

  const connect = () => openRegistry(product.url, { name: 'admin', password: product.adminPassword });

  it('goes on behind its last acknowledged byte when the server was killed in the middle of a chunk', async () => {
    const bytes = randomBytes(BLOB_BYTES);
    const opened = await client.send({ method: 'POST', path: '/v2/admin/resumed/blobs/uploads/' });
    const first = await patch(opened, 0, bytes.subarray(0, ACKNOWLEDGED_BYTES));
    expect(first.status).toBe(202);
    expect(first.headers['range']).toBe(`0-${ACKNOWLEDGED_BYTES - 1}`);

    const cut = client.send({
      method: 'PATCH',
      path: locationOf(first),
      headers: OCTETS,
      body: killInTheMiddle(bytes),
    });
    await expect(cut).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    await product.restart();

    client.close();
    client = connect();
    const state = await client.send({ method: 'GET', path: locationOf(first) });
    expect(state.status).toBe(204);
    const offsetBytes = Number(state.headers['range']?.split('-')[1]) + 1;
    expect(offsetBytes).toBeGreaterThanOrEqual(ACKNOWLEDGED_BYTES);
    console.log(`${offsetBytes} of ${BLOB_BYTES} bytes were kept`);
    const rest = await patch(state, offsetBytes, bytes.subarray(offsetBytes));
    expect(rest.status).toBe(202);
    const path = `${locationOf(rest)}&digest=${digestOf(bytes)}`;
    expect((await client.send({ method: 'PUT', path })).status).toBe(201);

    const blob = await client.send({ method: 'GET', path: `/v2/admin/resumed/blobs/${digestOf(bytes)}` });
    expect(createHash('sha256').update(blob.body).digest()).toEqual(createHash('sha256').update(bytes).digest());
  });

  /** Half of the rest, and then the end of the server while the request still runs. */
  async function* killInTheMiddle(bytes: Buffer): AsyncGenerator<Buffer> {
    const half = ACKNOWLEDGED_BYTES + (BLOB_BYTES - ACKNOWLEDGED_BYTES) / 2;
    for (let at = ACKNOWLEDGED_BYTES; at < half; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
    await product.kill();
    yield bytes.subarray(half, half + PIECE_BYTES);
  }

  function patch(session: Answer, start: number, body: Buffer): Promise<Answer> {
    const headers = { ...OCTETS, 'Content-Range': `${start}-${start + body.length - 1}` };
    return client.send({ method: 'PATCH', path: locationOf(session), headers, body });
  }
});

function locationOf({ headers }: Answer): string {
  return headers.location ?? '';
}
