import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '@entrepot/testkit/installation';
import { alignColumns } from '../align-columns.js';
import { proportionalSetBytes } from '../machine/process-tree.js';
import { formatNumber } from '../report.js';
import { DRIVERS, openTarget, startReplicas, type Driver, type ScaleLab, type ScaleTable } from './scale-lab.js';

const MIB = 1024 * 1024;
const SETTLE_MS = 2_000;
const SAMPLE_MS = 200;

/** Memory of one data-plane process while it takes many large uploads at once. */
export async function measureUploadMemory(lab: ScaleLab): Promise<readonly ScaleTable[]> {
  const { uploads, uploadBytes } = lab.size;
  const rows: string[][] = [];
  for (const driver of DRIVERS) {
    lab.say(`memory at ${uploads} uploads at once over ${driver}`);
    const installation = await startReplicas(lab, driver, 1);
    try {
      rows.push(await measure(installation, lab, driver));
    } finally {
      await installation.remove();
    }
  }
  const head = ['work', 'idle MiB', 'peak MiB', 'above idle', 'each MiB', 'MiB/s'];
  const title = `Memory (PSS) of one data-plane process at ${uploads} uploads of ${uploadBytes / MIB} MiB at once`;
  return [{ title, text: alignColumns([head, ...rows]) }];
}

async function measure(installation: Installation, { client, size }: ScaleLab, driver: Driver): Promise<string[]> {
  const { uploads, uploadBytes: sizeBytes } = size;
  const [registry] = installation.registries;
  const target = await openTarget(installation, 'memory');
  const bytesNow = () => proportionalSetBytes(registry?.processes() ?? []);
  await delay(SETTLE_MS);
  const idleBytes = bytesNow();
  const running = client.run({ kind: 'upload', origin: installation.url, target, uploads, sizeBytes });
  const peakBytes = await peakUntil(running, bytesNow);
  const { elapsedMs } = await running;
  const aboveMib = (peakBytes - idleBytes) / MIB;
  const figures = [
    idleBytes / MIB,
    peakBytes / MIB,
    aboveMib,
    aboveMib / uploads,
    (uploads * sizeBytes * 1000) / MIB / elapsedMs,
  ];
  return [driver, ...figures.map(formatNumber)];
}

async function peakUntil(running: Promise<unknown>, bytesNow: () => number): Promise<number> {
  const isOver = running.then(
    () => true,
    () => true,
  );
  for (let peakBytes = 0; ;) {
    peakBytes = Math.max(peakBytes, bytesNow());
    if (await Promise.race([isOver, delay(SAMPLE_MS, false)])) return peakBytes;
  }
}
