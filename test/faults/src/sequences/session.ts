import { setTimeout as delay } from 'node:timers/promises';
import type { BlobStore, UploadRef } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import { digestOf } from '@entrepot/testkit/images';
import { UploadModel, type Appending } from './model.js';
import type { Random } from '@entrepot/testkit/random';
import { LEASE_MS, type Replica } from './replica.js';
import { ask, type Outcome, type Request, type Sending } from './requests.js';

/** Replicas over one database and one store. */
export interface Cluster {
  readonly random: Random;
  /** Never dies; what it sees is what is. */
  readonly witness: Replica;
  readonly sizesBytes: readonly [number, ...number[]];
  readonly replicas: Replica[];
  readonly store: BlobStore;
  begin(replica: Replica): Promise<UploadRef>;
  /** Another process in the place of one that died. */
  replace(replica: Replica): Promise<void>;
  /** Where the blob is, if the repository of the upload has it. */
  find(
    ref: UploadRef,
    digest: Digest,
  ): Promise<{ objectKey: Parameters<BlobStore['read']>[0]; sizeBytes: number } | undefined>;
}

interface Asked {
  readonly request: Request;
  readonly replica: Replica;
  /** `silent` until it is heard of. */
  outcome: Outcome;
  readonly later: Promise<Outcome>;
  readonly appending: Appending | undefined;
}

const MOST_AT_ONCE = 3;

/** One upload from its start to its end, asked for by requests that come at once, and replicas that die and sleep. */
export class Session {
  readonly #model = new UploadModel();
  readonly #log: string[] = [];
  /** Requests that were silent when the upload was looked at. */
  #open: readonly Asked[] = [];
  steps = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly ref: UploadRef,
  ) {}

  static async begin(cluster: Cluster): Promise<Session> {
    return new Session(cluster, await cluster.begin(cluster.random.pick(cluster.replicas as [Replica])));
  }

  /** Runs to the upload's end, or for so many steps at most. Rejects with the story of what went wrong. */
  async run(mostSteps: number): Promise<number> {
    try {
      while (this.steps < mostSteps) {
        if (await this.#round()) break;
      }
      await this.#wakeAll();
      return this.steps;
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#log.join('\n')}`, { cause: error });
    }
  }

  /** Requests at once, then a look. True where the upload has ended. */
  async #round(): Promise<boolean> {
    const { random } = this.cluster;
    const requests = Array.from({ length: 1 + random.below(MOST_AT_ONCE) }, () => this.#nextRequest());
    this.#doomSome();
    const asked = await Promise.all(requests.map((request) => this.#ask(request)));
    if (random.isLikely(0.06)) await delay(LEASE_MS);
    this.steps += requests.length;
    const ended = await this.#settle(asked);
    await this.#tidy();
    return ended;
  }

  #nextRequest(): Request {
    const { random } = this.cluster;
    const kind = random.fraction();
    if (kind < 0.04) return { kind: 'cancel' };
    if (kind < 0.12) return { kind: 'status' };
    const content = random.pick(this.#model.contents as [Buffer]);
    const offsetBytes = this.#offsetNear(content.length);
    if (kind < 0.9) return { kind: 'append', offsetBytes, isRanged: random.isLikely(0.5), sending: this.#sending() };
    const sending = random.isLikely(0.5) ? this.#sending() : undefined;
    const whole = sending ? Buffer.concat([content, sending.bytes]) : content;
    const digest = digestOf(random.isLikely(0.2) ? random.bytes(8) : whole) as Digest;
    return { kind: 'finish', offsetBytes, digest, ...(sending && { sending }) };
  }

  #offsetNear(lengthBytes: number): number {
    const { random } = this.cluster;
    return random.isLikely(0.85) ? lengthBytes : Math.max(0, lengthBytes - 1000 + random.below(2000));
  }

  #sending(): Sending {
    const { random, sizesBytes } = this.cluster;
    const bytes = random.bytes(1 + random.below(random.pick(sizesBytes)));
    const chunkBytes = Math.ceil(bytes.length / (1 + random.below(4)));
    const pauseMs = random.isLikely(0.15) ? random.below(LEASE_MS) : 0;
    const cut = random.isLikely(0.15) ? { cutAfterBytes: random.below(bytes.length) } : {};
    return { bytes, chunkBytes, pauseMs, ...cut };
  }

  #doomSome(): void {
    const { random, replicas } = this.cluster;
    for (const replica of replicas) {
      if (replica.isAsleep) continue;
      if (random.isLikely(0.1)) replica.doom(random.pick(['crash', 'pause']), 1 + random.below(14));
    }
  }

  async #ask(request: Request): Promise<Asked> {
    const { random, replicas, witness } = this.cluster;
    const awake = replicas.filter((replica) => !replica.isAsleep && !replica.isDead);
    const replica = awake.length === 0 ? witness : random.pick(awake as [Replica]);
    const { outcome, later } = await ask(replica, this.ref, request);
    this.#log.push(`${describe(request)} at ${replicas.indexOf(replica)}: ${outcome}`);
    return { request, replica, outcome, later, appending: appendingOf(request, outcome) };
  }

  /** Compares what is with what may be. True where the upload has ended. */
  async #settle(asked: readonly Asked[]): Promise<boolean> {
    const all = [...this.#open, ...asked];
    const upload = await this.cluster.witness.room.uploads.find(this.ref);
    this.#log.push(`  stands at ${upload?.offsetBytes ?? 'its end'}`);
    this.#open = all.filter(({ outcome }) => outcome === 'silent');
    if (!upload) {
      await this.#checkEnd(all);
      return true;
    }
    if (!this.#model.settle(appendingsOf(all), upload.offsetBytes)) throw new Error('no order of requests explains it');
    return false;
  }

  async #checkEnd(all: readonly Asked[]): Promise<void> {
    const { uploads, graceMs } = this.cluster.witness.room;
    const digest = await uploads.findFinished(this.ref, graceMs);
    const done = all.filter(({ outcome }) => outcome === 'done').map(({ request }) => request);
    if (digest === undefined) {
      if (done.some(({ kind }) => kind === 'finish'))
        throw new Error('a finish was acknowledged, and there is no blob');
      if (!all.some(({ request }) => request.kind === 'cancel')) throw new Error('the upload is gone');
      return;
    }
    const wrong = done.find((request) => request.kind === 'finish' && request.digest !== digest);
    if (wrong) throw new Error('another finish was acknowledged than was committed');
    await this.#checkBlob(digest, all);
    await this.#repeatEnd(digest);
  }

  /** The blob is what its digest says, and what was acknowledged. */
  async #checkBlob(digest: Digest, all: readonly Asked[]): Promise<void> {
    const blob = await this.cluster.find(this.ref, digest);
    if (!blob) throw new Error('a blob was acknowledged, and is not there');
    const chunks: Buffer[] = [];
    const { store } = this.cluster;
    const range = { start: 0, end: blob.sizeBytes - 1 };
    await store.read(blob.objectKey, range, async (chunk) => void chunks.push(Buffer.from(chunk)));
    if (digestOf(Buffer.concat(chunks)) !== digest) throw new Error('the blob is corrupt');
    const last = all.flatMap(({ request }) =>
      request.kind === 'finish' && request.digest === digest && request.sending
        ? [{ offsetBytes: request.offsetBytes, body: request.sending.bytes, effect: 'unknown' as const }]
        : [],
    );
    const isExplained = this.#model.settle([...appendingsOf(all), ...last], blob.sizeBytes);
    if (!isExplained || !this.#model.digests.includes(digest)) throw new Error('the blob is not what was sent');
  }

  /** Whoever sends the end again is told the same, at every replica. */
  async #repeatEnd(digest: Digest): Promise<void> {
    const { witness, random } = this.cluster;
    const again = { kind: 'finish', offsetBytes: 0, digest } as const;
    const sending = { bytes: random.bytes(1000), chunkBytes: 400, pauseMs: 0 };
    const outcomes = await Promise.all(
      [again, { ...again, sending }, { ...again, digest: digestOf(sending.bytes) as Digest }].map(
        async (request) => (await ask(witness, this.ref, request)).outcome,
      ),
    );
    this.#log.push(`  its end again: ${outcomes.join(', ')}`);
    if (outcomes.join() !== 'done,done,wrong digest') throw new Error('the end cannot be repeated');
    this.steps += outcomes.length;
  }

  /** Replaces the dead, and wakes some of those that slept. */
  async #tidy(): Promise<void> {
    const { random, replicas, replace } = this.cluster;
    for (const replica of replicas) {
      if (replica.isDead) await replace(replica);
      else if (!replica.isAsleep || random.isLikely(0.4)) replica.wake();
    }
    await this.#hearTheSilent();
  }

  async #wakeAll(): Promise<void> {
    for (const replica of this.cluster.replicas) replica.wake();
    await this.#hearTheSilent();
  }

  /** What slept and goes on ends now; the next look has to explain what it did. */
  async #hearTheSilent(): Promise<void> {
    for (const asked of this.#open) {
      if (asked.replica.isAsleep || asked.replica.isDead) continue;
      asked.outcome = await asked.later;
      this.#log.push(`  woke: ${describe(asked.request)}: ${asked.outcome}`);
      if (asked.appending) asked.appending.effect = effectOf(asked.outcome);
    }
  }
}

function appendingsOf(all: readonly Asked[]): Appending[] {
  return all.flatMap(({ appending }) => appending ?? []);
}

function appendingOf(request: Request, outcome: Outcome): Appending | undefined {
  if (request.kind !== 'append') return undefined;
  return { offsetBytes: request.offsetBytes, body: request.sending.bytes, effect: effectOf(outcome) };
}

function effectOf(outcome: Outcome): Appending['effect'] {
  if (outcome === 'done') return 'all';
  if (outcome === 'silent') return 'unknown';
  return outcome === 'failed' ? 'some' : 'none';
}

function describe(request: Request): string {
  switch (request.kind) {
    case 'append':
    case 'finish': {
      const bytes = request.sending;
      const body = bytes ? `${bytes.bytes.length} bytes${bytes.cutAfterBytes === undefined ? '' : ', cut'}` : 'nothing';
      const digest = request.kind === 'finish' ? ` as ${request.digest.slice(0, 15)}` : '';
      return `${request.kind} ${body} at ${request.offsetBytes}${digest}`;
    }
    case 'cancel':
    case 'status':
      return request.kind;
  }
}
