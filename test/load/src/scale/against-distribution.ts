import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findDistribution } from '../contenders/distribution.js';
import { findEntrepot } from '../contenders/entrepot.js';
import { formatTable } from '../report.js';
import { launchAll, runWorkload, type WorkloadResult } from '../run-bench.js';
import { blobTransfers } from '../workloads/blob-transfers.js';
import { createSamples } from '../workloads/sample-files.js';
import { smallPushes } from '../workloads/small-pushes.js';
import { FULL_SIZE, QUICK_SIZE, type Lab } from '../workloads/workload.js';
import type { ScaleLab, ScaleTable } from './scale-lab.js';

/** Names of what is compared; many downloads at once only measure the one machine that all share. */
const COMPARED = new Set(['blob-get', 'blob-put', 'blob-put-stream', 'push-1-docker', 'push-1-containerd']);
const GOAL = { over: 'distribution', atLeast: 1 } as const;

/** Pushes and pulls beside distribution v3, each with a bucket of its own on the same object store. */
export async function compareWithDistribution(scale: ScaleLab): Promise<readonly ScaleTable[]> {
  const directory = join(scale.directory, 'against-distribution');
  mkdirSync(directory, { mode: 0o755 });
  const size = scale.size.isQuick ? QUICK_SIZE : FULL_SIZE;
  const { client, issuer, s3, say } = scale;
  const lab: Lab = { directory, size, client, issuer, samples: createSamples(directory), newBucket: s3.newBucket };
  const found = [await findEntrepot(), await findDistribution()];
  const contenders = found.filter((contender) => 'launch' in contender);
  for (const absence of found) if ('reason' in absence) say(`without ${absence.name}: ${absence.reason}`);
  const subjects = await launchAll(contenders, lab, say);
  const results: WorkloadResult[] = [];
  try {
    for (const workload of [...blobTransfers(), ...smallPushes()].filter(({ name }) => COMPARED.has(name))) {
      say(`${workload.title}, over S3`);
      results.push(await runWorkload({ ...workload, goal: GOAL }, subjects, lab));
    }
  } finally {
    for (const { instance } of subjects) await instance.process.stop();
  }
  const names = subjects.map(({ contender }) => contender.name);
  const title = 'On the same S3 server, one process each, streamed through';
  return [{ title, text: formatTable(results, names) }];
}
