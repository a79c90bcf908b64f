import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { buildImage, type Image } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import { TokenRefused } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { pushImage, Unavailable } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect, type Target } from '../world/target.js';

const LOAD_MS = 1_500;
const RECOVERY_MS = 15_000;
const POLL_MS = 25;

/** Shutdown modes of the postmaster (PostgreSQL documentation, 18.5). It is started again as soon as it is gone. */
const RESTARTS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

describe.each(Object.entries(RESTARTS))('a %s restart of Postgres below two loaded registries', (_mode, signal) => {
  let replicas: Replicas;
  let registries: readonly Entrepot[];
  let image: Image;

  beforeAll(async () => {
    replicas = await startReplicas();
    registries = [await replicas.start(), await replicas.start()];
    image = buildImage({ layers: [randomBytes(100_000)] });
    const client = connect(targets()[0] as Target);
    const bench = { client, journal: new Journal(), repository: 'admin/pulled' };
    await pushImage(bench, { image, tag: 'kept', way: 'whole' });
    client.close();
  });
  afterAll(() => replicas.remove());

  const targets = () => registries.map((registry) => replicas.target(registry));

  it('is waited for, or answered with 503; nobody is told anything wrong, and all are well again', async () => {
    const journals = registries.map(() => new Journal());
    const pushers = targets().map((target, place) => startPushers(target, journals[place] as Journal));
    const pullers = targets().map((target) => startPuller(target, image));
    await delay(LOAD_MS);
    signalProcess(postmasterOf(replicas), signal);
    await Promise.all(targets().map(untilPushWorks));
    await delay(LOAD_MS);
    await Promise.all(pushers.map((each) => each.stop()));
    const pulls = await Promise.all(pullers.map((each) => each.stop()));

    for (const [place, journal] of journals.entries()) console.log(journal.summary(), pulls[place]);
    const surprises = journals.flatMap((journal) => journal.surprises);
    expect(surprises.filter((surprise) => signal === RESTARTS.fast || !isForgottenStart(surprise))).toEqual([]);
    expect(pulls.flatMap(({ surprises }) => surprises)).toEqual([]);
    for (const { right } of pulls) expect(right).toBeGreaterThan(0);
    for (const [place, journal] of journals.entries()) {
      // Both pushed under the same tags of the shared repository: content is held to, those tags are not.
      journal.tags.clear();
      expect(await checkJournal(targets()[1 - place] as Target, journal)).toEqual([]);
    }
    // What happened once was written down once: one event for each audited change, and one upload for each end.
    const [changes] = await replicas.query<{ audited: number; events: number }>(
      `SELECT (SELECT count(*)::int FROM audit_event WHERE action = 'manifest.pushed') AS audited,
         (SELECT count(*)::int FROM outbox_event WHERE kind = 'manifest.pushed') AS events`,
    );
    expect(changes?.audited).toBe(changes?.events);
  });
});

/**
 * A crash of Postgres may forget an upload that has just begun: its start is not waited for on disk, no byte of it was
 * acknowledged, and its client begins again.
 */
function isForgottenStart(surprise: string): boolean {
  return surprise.startsWith('PATCH ') && surprise.includes('BLOB_UPLOAD_UNKNOWN');
}

interface Pulls {
  right: number;
  unavailable: number;
  readonly surprises: string[];
}

/** Pulls one image by tag and by digest without end: what it is, or 503 and when to come back. */
function startPuller(target: Target, image: Image): { stop(): Promise<Pulls> } {
  const pulls: Pulls = { right: 0, unavailable: 0, surprises: [] };
  const [layer] = image.layers;
  const wanted = [
    { path: '/v2/admin/pulled/manifests/kept', bytes: image.manifest.bytes },
    { path: `/v2/admin/pulled/manifests/${image.manifest.digest}`, bytes: image.manifest.bytes },
    { path: `/v2/admin/pulled/blobs/${layer?.digest}`, bytes: layer?.bytes },
  ];
  const stopping = new AbortController();
  const run = async (): Promise<Pulls> => {
    const client = connect(target);
    while (!stopping.signal.aborted) {
      for (const { path, bytes } of wanted) {
        const answer = await client.send({ method: 'GET', path }).catch((error: unknown) => error);
        if (answer instanceof TokenRefused && answer.status === 503) pulls.unavailable += 1;
        else if (answer instanceof Error || !isAnswer(answer)) pulls.surprises.push(`${path}: ${String(answer)}`);
        else if (answer.status === 200 && bytes?.equals(answer.body) === true) pulls.right += 1;
        else if (answer.status === 503 && answer.headers['retry-after'] !== undefined) pulls.unavailable += 1;
        else pulls.surprises.push(`${path}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
      }
      await delay(POLL_MS);
    }
    client.close();
    return pulls;
  };
  const ran = run();
  return {
    stop: () => {
      stopping.abort();
      return ran;
    },
  };
}

interface PullAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

function isAnswer(value: unknown): value is PullAnswer {
  return typeof value === 'object' && value !== null && 'status' in value && 'body' in value;
}

/** A push from start to end succeeds within the bound; until then only 503 is an answer. */
async function untilPushWorks(target: Target): Promise<void> {
  for (const deadline = performance.now() + RECOVERY_MS; ; await delay(POLL_MS)) {
    const client = connect(target);
    try {
      const bench = { client, journal: new Journal(), repository: 'admin/probe' };
      await pushImage(bench, { image: buildImage({ layers: [randomBytes(64)] }), tag: 'probe', way: 'streamed' });
      return;
    } catch (error) {
      const isUnavailable = error instanceof Unavailable || (error instanceof TokenRefused && error.status === 503);
      if (!isUnavailable || performance.now() > deadline) throw error;
    } finally {
      client.close();
    }
  }
}

function postmasterOf({ directory }: Replicas): number {
  return Number(readFileSync(join(directory, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}
