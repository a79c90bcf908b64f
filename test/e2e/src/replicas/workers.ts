import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { Account } from '@entrepot/testkit/registry-client';
import type { Client, ClientKind } from '../drivers/client.js';
import { makeLayer, writeImage, type Layout } from '../world/layout.js';
import { failureOf, mustSucceed, type CommandResult } from '../world/run-command.js';

const SHARED_BYTES = 64 * 1024;

/** An image that a client was told is stored. */
export interface Acknowledged {
  readonly repository: string;
  readonly tag: string;
  /** Digest of the manifest that the client said it pushed. */
  readonly digest: string;
}

/** What all workers did. */
export interface WorkLog {
  readonly acknowledged: Acknowledged[];
  /** What each command that failed said. */
  readonly failures: string[];
  pulls: number;
}

export interface WorkerOptions {
  readonly kind: ClientKind;
  readonly home: string;
  readonly host: string;
  readonly account: Account;
  readonly layerBytes: number;
  /** Digest of the manifest that a push made, from the layout or from what the client said. */
  readonly digestOf: (layout: Layout, pushed: CommandResult) => string;
}

/** A client that pushes one image after the other and pulls each back. */
export interface Worker {
  /** Goes on until told to stop, and then to the end of the image under way. */
  run(log: WorkLog, stopping: AbortSignal): Promise<void>;
}

export async function createWorker({ kind, home, host, account, ...options }: WorkerOptions): Promise<Worker> {
  await mkdir(home);
  const client = await kind.create(home);
  mustSucceed(await client.login(host, account));
  const repository = `${account.name}/${kind.name}`;
  const name = randomBytes(3).toString('hex');
  const shared = await makeLayer({ shared: randomBytes(SHARED_BYTES) });
  return {
    run: async (log, stopping) => {
      for (let round = 0; !stopping.aborted; round += 1) {
        await pushAndPull(client, { ...options, home, host, repository, shared, tag: `${name}-${round}` }, log);
      }
    },
  };
}

interface Round extends Pick<WorkerOptions, 'home' | 'host' | 'layerBytes' | 'digestOf'> {
  readonly repository: string;
  readonly tag: string;
  /** A layer that all images of a worker have. */
  readonly shared: Buffer;
}

async function pushAndPull(client: Client, round: Round, log: WorkLog): Promise<void> {
  const { home, host, repository, tag, shared, layerBytes, digestOf } = round;
  const layout = await writeImage(home, [await makeLayer({ nonce: randomBytes(layerBytes) }), shared]);
  const reference = `${host}/${repository}:${tag}`;
  const pushed = await client.push(layout, reference);
  const failures = [failureOf(pushed)];
  if (pushed.code === 0) {
    log.acknowledged.push({ repository, tag, digest: digestOf(layout, pushed) });
    failures.push(failureOf(await client.pull(reference)));
    log.pulls += 1;
  }
  log.failures.push(...failures.filter((failure) => failure !== undefined));
  await rm(layout.directory, { recursive: true, force: true });
}
