import type { Installation } from '@entrepot/testkit/installation';
import { alignColumns } from '../align-columns.js';
import { createConnection } from '../client/connection.js';
import { digestOf, IMAGE_MANIFEST, makeImage, pushImage } from '../client/push-image.js';
import { answeredUnder } from '../machine/request-rate.js';
import { formatNumber } from '../report.js';
import { measureCrowds } from './crowds.js';
import { DRIVERS, openTarget, startReplicas, type Driver, type ScaleLab, type ScaleTable } from './scale-lab.js';

const COUNTS = [1, 2, 4] as const;
/** With how many processes crowds are measured. */
const CROWD_COUNT = 2;
const MIB = 1024 * 1024;
const BLOB_BYTES = MIB;
const STREAMS = 8;
const STREAM_BYTES = 32 * MIB;

interface Measured {
  readonly value: number;
  readonly p99Ms: number;
}

interface Work {
  readonly title: string;
  readonly unit: string;
  readonly measure: (installation: Installation, lab: ScaleLab) => Promise<Measured>;
}

const WORKS: readonly Work[] = [
  { title: 'manifest GET by tag, 64 connections', unit: '1/s', measure: readManifests },
  { title: 'blob GET 1 MiB, 16 connections', unit: 'MiB/s', measure: readBlobs },
  { title: '4 KiB image push, 32 connections', unit: '1/s', measure: pushSmall },
  { title: `blob push 32 MiB streamed, ${STREAMS} at once`, unit: 'MiB/s', measure: pushStreams },
];

/** Throughput and p99 by number of data-plane processes over each store, and what crowds of clients get of two. */
export async function measureProcessCounts(lab: ScaleLab): Promise<readonly ScaleTable[]> {
  const rows: string[][] = [];
  const crowds: string[][] = [];
  for (const driver of DRIVERS) {
    const byCount: Measured[][] = [];
    for (const count of COUNTS) {
      lab.say(`${count} data-plane processes over ${driver}`);
      const installation = await startReplicas(lab, driver, count);
      try {
        byCount.push(await measureAll(installation, lab));
        if (count === CROWD_COUNT) crowds.push(...(await measureCrowds(installation, lab, driver)));
      } finally {
        await installation.remove();
      }
    }
    rows.push(...rowsOf(driver, byCount));
  }
  const head = ['work', 'unit', ...COUNTS.flatMap((count) => [`${count} proc`, 'p99 ms'])];
  return [
    { title: 'By number of data-plane processes, behind nginx', text: alignColumns([head, ...rows]) },
    {
      title: `Crowds, ${CROWD_COUNT} data-plane processes behind nginx`,
      text: alignColumns([['work', 'clients', 'all done s', 'MiB/s', 'median ms', 'p99 ms'], ...crowds]),
    },
  ];
}

async function measureAll(installation: Installation, lab: ScaleLab): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const { measure } of WORKS) results.push(await measure(installation, lab));
  return results;
}

function rowsOf(driver: Driver, byCount: readonly (readonly Measured[])[]): string[][] {
  return WORKS.map(({ title, unit }, work) => [
    `${title}, ${driver}`,
    unit,
    ...byCount.flatMap((results) => {
      const { value, p99Ms } = results[work] ?? { value: Number.NaN, p99Ms: Number.NaN };
      return [formatNumber(value), formatNumber(p99Ms)];
    }),
  ]);
}

async function readManifests(installation: Installation, { client, size }: ScaleLab): Promise<Measured> {
  const target = await openTarget(installation, 'reads');
  const connection = createConnection(installation.url);
  await pushImage(connection, target, { image: makeImage(5, 1024), tag: 'latest', style: 'containerd' });
  connection.close();
  const request = {
    method: 'GET',
    path: `/v2/${target.repository}/manifests/latest`,
    headers: { Authorization: `Bearer ${target.token}`, Accept: IMAGE_MANIFEST },
  } as const;
  const load = { origin: installation.url, request, connections: 64, durationMs: size.durationMs };
  const { rate, p99Ms } = await answeredUnder(client, load);
  return { value: rate, p99Ms };
}

async function readBlobs(installation: Installation, { client, size }: ScaleLab): Promise<Measured> {
  const target = await openTarget(installation, 'blobs');
  const image = makeImage(1, BLOB_BYTES);
  const connection = createConnection(installation.url);
  await pushImage(connection, target, { image, tag: 'latest', style: 'containerd' });
  connection.close();
  const [layer = Buffer.alloc(0)] = image.layers;
  const request = {
    method: 'GET',
    path: `/v2/${target.repository}/blobs/${digestOf(layer)}`,
    headers: { Authorization: `Bearer ${target.token}` },
  } as const;
  const load = { origin: installation.url, request, connections: 16, durationMs: size.durationMs };
  const { rate, p99Ms } = await answeredUnder(client, load);
  return { value: (rate * BLOB_BYTES) / MIB, p99Ms };
}

async function pushSmall(installation: Installation, { client, size }: ScaleLab): Promise<Measured> {
  const targets = [await openTarget(installation, 'pushes')];
  const job = { kind: 'push', origin: installation.url, targets, images: size.images, style: 'docker' } as const;
  const { count, elapsedMs, p99Ms } = await client.run({ ...job, connections: 32, layerBytes: 4096 });
  return { value: (count / elapsedMs) * 1000, p99Ms };
}

async function pushStreams(installation: Installation, { client }: ScaleLab): Promise<Measured> {
  const target = await openTarget(installation, 'streams');
  const job = { kind: 'upload', origin: installation.url, target, uploads: STREAMS, sizeBytes: STREAM_BYTES } as const;
  const { count, elapsedMs, p99Ms } = await client.run(job);
  return { value: (count * STREAM_BYTES * 1000) / MIB / elapsedMs, p99Ms };
}
