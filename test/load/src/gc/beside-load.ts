import { openRegistry } from '@entrepot/testkit/registry-client';
import type { Client } from 'pg';
import { alignColumns } from '../align-columns.js';
import type { JobResult } from '../client/jobs.js';
import type { Target } from '../client/push-image.js';
import { settleDisk } from '../machine/file-system.js';
import { formatNumber } from '../report.js';
import { countLeft, plantGarbage, untilSettled } from './content-rows.js';
import type { Collector, GcLab, GcTable } from './gc-lab.js';
import { beginReview } from './run-review.js';

/** A part of what the machine can do, or the times would be those of waiting. */
const LOADS = [
  { work: 'pull', perSecond: 100 },
  { work: 'push', perSecond: 20 },
] as const;
const TITLES = { pull: 'pulls', push: 'pushes' } as const;
const MOST = 1.2;
const REPOSITORY = 'admin/beside';

/** Times of pulls and pushes that begin at a steady rate: alone, while the product collects as fast as it can, and alone again. */
export async function measureBesideLoad(lab: GcLab, collector: Collector, client: Client): Promise<GcTable> {
  const target = await openTarget(collector);
  lab.say('pulls and pushes, alone');
  const before = await runLoads(lab, collector, target);
  await plantGarbage(client, collector.storageRoot, { label: 'garbage-loaded', blobs: lab.size.removedUnderLoad });
  await untilSettled(client);
  await settleDisk(lab.directory);
  lab.say('pulls and pushes, beside a collection');
  const ended = await beginReview(collector, client);
  const beside = await runLoads(lab, collector, target);
  const left = await countLeft(client);
  await ended();
  lab.say('pulls and pushes, alone again');
  const after = await runLoads(lab, collector, target);
  const rows = LOADS.map(({ work, perSecond }, index) =>
    formatRow(`${TITLES[work]}, ${perSecond} a second`, [before[index], beside[index], after[index]]),
  );
  const head = ['work', 'alone p50', 'p99', 'collecting p50', 'p99', 'ratio p50', 'ratio p99', 'goal'];
  const state = left.blobs + left.objects > 0 ? 'it went on throughout' : 'IT ENDED BEFORE THE LOAD DID';
  return { title: `Milliseconds of requests beside a collection (${state})`, text: alignColumns([head, ...rows]) };
}

async function openTarget({ entrepot }: Collector): Promise<Target> {
  const registry = openRegistry(entrepot.url, { name: 'admin', password: entrepot.adminPassword });
  const token = await registry.token([`repository:${REPOSITORY}:pull,push`]);
  registry.close();
  return { repository: REPOSITORY, token };
}

async function runLoads({ client, size }: GcLab, { entrepot }: Collector, target: Target): Promise<JobResult[]> {
  const results: JobResult[] = [];
  for (const load of LOADS) {
    results.push(await client.run({ kind: 'steady', origin: entrepot.url, target, durationMs: size.loadMs, ...load }));
  }
  return results;
}

/** Alone: the mean of before and after, for other work on the machine comes and goes. */
function formatRow(title: string, [before, beside, after]: readonly (JobResult | undefined)[]): string[] {
  if (!before || !beside || !after) throw new Error('a load was not measured');
  const alone = {
    medianMs: (before.medianMs + after.medianMs) / 2,
    p99Ms: (before.p99Ms + after.p99Ms) / 2,
  };
  const ratio = beside.p99Ms / alone.p99Ms;
  return [
    title,
    ...[alone.medianMs, alone.p99Ms, beside.medianMs, beside.p99Ms].map(formatNumber),
    `${(beside.medianMs / alone.medianMs).toFixed(2)}x`,
    `${ratio.toFixed(2)}x`,
    `at most ${MOST}x: ${ratio <= MOST ? 'met' : 'MISSED'}`,
  ];
}
