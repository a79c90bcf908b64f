import { randomBytes } from 'node:crypto';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import type { Exchange, RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../world/process-state.js';
import { withDigest } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const UPLOADS = '/v2/admin/rotated/blobs/uploads/';
const LEAST_UPLOADS = 1000;
const CLIENT_COUNT = 8;
const PIECE_BYTES = 3000;

const OLD = randomBytes(32).toString('base64url');
const NEW = randomBytes(32).toString('base64url');
/** One step of the rotation for one replica after the other; within a step the second is the late one. */
const RINGS = [OLD, `${OLD},${NEW}`, `${NEW},${OLD}`, NEW];

/** A replica in turn, and how many requests it is answering. */
interface Seat {
  readonly replica: Entrepot;
  readonly client: RegistryClient;
  running: number;
}

/** What a balancer does: a seat is taken out of turn before its replica is stopped. */
class Balancer {
  #seats: Seat[] = [];
  #turn = 0;

  constructor(private readonly replicas: Replicas) {}

  async seat(ring: string): Promise<void> {
    const replica = await this.replicas.start({ ENTREPOT_HTTP_SECRET: ring });
    this.#seats.push({ replica, client: connect(this.replicas.target(replica)), running: 0 });
  }

  /** The one that serves longest leaves. */
  async unseat(): Promise<void> {
    const seat = this.#seats.shift();
    if (!seat) return;
    await until(() => seat.running === 0, 'the last request at a replica');
    seat.client.close();
    await seat.replica.stop();
  }

  async send(exchange: Exchange) {
    const seat = this.#seats[(this.#turn += 1) % this.#seats.length];
    if (!seat) throw new Error('nobody serves');
    seat.running += 1;
    try {
      return await seat.client.send(exchange);
    } finally {
      seat.running -= 1;
    }
  }

  close(): void {
    for (const { client } of this.#seats) client.close();
  }
}

describe('FT-45: the secret of upload states', () => {
  let replicas: Replicas;
  let balancer: Balancer;

  beforeAll(async () => {
    replicas = await startReplicas();
    balancer = new Balancer(replicas);
    for (let seat = 0; seat < 2; seat += 1) await balancer.seat(OLD);
  });
  afterAll(async () => {
    balancer.close();
    await replicas.remove();
  });

  /** In two pieces and an empty end, so that each upload meets several replicas. Returns the statuses. */
  async function upload(): Promise<number[]> {
    const content = contentOf('application/octet-stream', randomBytes(2 * PIECE_BYTES));
    const empty = { 'Content-Length': 0 };
    const statuses: number[] = [];
    let location = UPLOADS;
    const send = async (exchange: Exchange) => {
      const { status, headers } = await balancer.send(exchange);
      statuses.push(status);
      location = String(headers.location);
    };
    await send({ method: 'POST', path: location, headers: empty });
    await send({ method: 'PATCH', path: location, body: content.bytes.subarray(0, PIECE_BYTES) });
    await send({ method: 'PATCH', path: location, body: content.bytes.subarray(PIECE_BYTES) });
    await send({ method: 'PUT', path: withDigest(location, content.digest), headers: empty });
    return statuses;
  }

  it('is replaced replica by replica while uploads run over all of them, and none fails', async () => {
    const rotated = new AbortController();
    const outcomes = new Map<string, number>();
    let uploads = 0;
    const clients = Array.from({ length: CLIENT_COUNT }, async () => {
      while (!rotated.signal.aborted || uploads < LEAST_UPLOADS) {
        uploads += 1;
        const outcome = (await upload()).join(' ');
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    });
    const rotation = (async () => {
      for (const ring of RINGS.slice(1)) {
        for (let seat = 0; seat < 2; seat += 1) {
          await balancer.seat(ring);
          await balancer.unseat();
        }
      }
      rotated.abort();
    })();
    await Promise.all([...clients, rotation]);
    console.log(`${uploads} uploads, ${[...outcomes].map(([outcome, count]) => `${count} x ${outcome}`).join(', ')}`);
    expect([...outcomes.keys()]).toEqual(['202 202 202 201']);
  });

  it('is refused once it is gone everywhere', async () => {
    const stranger = await replicas.start({ ENTREPOT_HTTP_SECRET: OLD });
    const client = connect(replicas.target(stranger));
    const begun = await client.send({ method: 'POST', path: UPLOADS, headers: { 'Content-Length': 0 } });
    const path = String(begun.headers.location);
    expect((await balancer.send({ method: 'GET', path })).status).toBe(404);
    expect((await client.send({ method: 'GET', path })).status).toBe(204);
    client.close();
  });
});
