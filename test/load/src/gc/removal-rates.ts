import type { Client } from 'pg';
import { alignColumns } from '../align-columns.js';
import { settleDisk } from '../machine/file-system.js';
import { formatNumber } from '../report.js';
import { countLeft, insertKept, plantGarbage, untilSettled } from './content-rows.js';
import type { Collector, GcLab, GcTable } from './gc-lab.js';
import { measurePeers } from './peer-collections.js';
import { runReview } from './run-review.js';

const GOAL_PER_MINUTE = 10_000;

export interface Rates {
  readonly kept: number;
  readonly perMinute: number;
  readonly idleMs: number;
  readonly peers: ReadonlyMap<string, number>;
}

export interface Trial {
  readonly collector: Collector;
  readonly client: Client;
  readonly kept: number;
}

/** How many blobs go in a minute beside those that stay, and how long a look takes that finds nothing. */
export async function measureRates(lab: GcLab, { collector, client, kept }: Trial): Promise<Rates> {
  const { removed } = lab.size;
  await insertKept(client, { label: 'kept', blobs: kept });
  await plantGarbage(client, collector.storageRoot, { label: 'garbage', blobs: removed });
  await untilSettled(client);
  await settleDisk(lab.directory);
  const { elapsedMs } = await runReview(collector, client);
  const left = await countLeft(client);
  if (left.blobs + left.objects > 0) throw new Error(`the review left ${left.blobs} blobs and ${left.objects} objects`);
  const { elapsedMs: idleMs } = await runReview(collector, client);
  lab.say(`${Math.round(elapsedMs)} ms for ${removed} blobs; now the peers`);
  return { kept, perMinute: perMinute(removed, elapsedMs), idleMs, peers: await measurePeers(lab, kept, removed) };
}

function perMinute(blobs: number, elapsedMs: number): number {
  return (blobs / elapsedMs) * 60_000;
}

export function formatRates({ size }: GcLab, rates: readonly Rates[]): GcTable {
  const peers = [...(rates[0]?.peers.keys() ?? [])];
  const head = [
    'kept',
    'entrepot 1/min',
    'flat',
    'idle ms',
    ...peers.flatMap((peer) => [`${peer} 1/min`, 'ratio']),
    'goal',
  ];
  const first = rates[0]?.perMinute ?? Number.NaN;
  const rows = rates.map(({ kept, perMinute: ours, idleMs, peers: theirs }) => [
    kept.toLocaleString('en'),
    formatNumber(ours),
    `${(ours / first).toFixed(2)}x`,
    formatNumber(idleMs),
    ...peers.flatMap((peer) => formatPeer(ours, theirs.get(peer))),
    ours >= GOAL_PER_MINUTE ? 'met' : 'MISSED',
  ]);
  const title =
    `Blobs removed in a minute, ${size.removed.toLocaleString('en')} at a time with their manifests, beside blobs that stay ` +
    '(the peers collect with the registry stopped or read-only: what is pushed meanwhile may be lost)';
  return { title, text: alignColumns([head, ...rows]) };
}

function formatPeer(ours: number, theirs: number | undefined): string[] {
  return theirs === undefined ? ['-', '-'] : [formatNumber(theirs), `${(ours / theirs).toFixed(2)}x`];
}
