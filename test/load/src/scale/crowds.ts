import type { Installation } from '@entrepot/testkit/installation';
import { createConnection } from '../client/connection.js';
import type { JobResult } from '../client/jobs.js';
import { makeImage, pushImage } from '../client/push-image.js';
import { formatNumber } from '../report.js';
import { openTarget, type Driver, type ScaleLab } from './scale-lab.js';

const TAG = 'latest';
const SHARED_LAYERS = 5;
const MIB = 1024 * 1024;

/** Many clients that pull one image of many layers at once, and many that push images of the same base at once. */
export async function measureCrowds(installation: Installation, lab: ScaleLab, driver: Driver): Promise<string[][]> {
  const { layers, layerBytes, pushers } = lab.size;
  const pulled = await crowdPull(installation, lab);
  const pushed = await crowdPush(installation, lab);
  const layerMib = layerBytes / MIB;
  // Of the shared layers each client asks whether they are there; those that begin together send them together.
  const pushedMib = pushers * layerMib;
  return [
    rowOf(
      `pull of one image of ${layers} layers of ${layerMib} MiB, ${driver}`,
      pulled,
      layers * layerMib * pulled.count,
    ),
    rowOf(`push, ${SHARED_LAYERS} shared layers and one own of ${layerMib} MiB, ${driver}`, pushed, pushedMib),
  ];
}

async function crowdPull(installation: Installation, { client, size }: ScaleLab): Promise<JobResult> {
  const target = await openTarget(installation, 'crowd-pull');
  const connection = createConnection(installation.url);
  const image = makeImage(size.layers, size.layerBytes);
  await pushImage(connection, target, { image, tag: TAG, style: 'containerd' });
  connection.close();
  return client.run({ kind: 'crowd-pull', origin: installation.url, target, tag: TAG, clients: size.pullers });
}

async function crowdPush(installation: Installation, { client, size }: ScaleLab): Promise<JobResult> {
  const target = await openTarget(installation, 'crowd-push');
  const image = { sharedLayers: SHARED_LAYERS, layerBytes: size.layerBytes };
  return client.run({ kind: 'crowd-push', origin: installation.url, target, clients: size.pushers, ...image });
}

function rowOf(title: string, { count, elapsedMs, medianMs, p99Ms }: JobResult, movedMib: number): string[] {
  const figures = [elapsedMs / 1000, (movedMib * 1000) / elapsedMs, medianMs, p99Ms].map(formatNumber);
  return [title, String(count), ...figures];
}
