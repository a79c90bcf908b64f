import { createConnection } from '../client/connection.js';
import { digestOf, IMAGE_MANIFEST, manifestOf, pushImage } from '../client/push-image.js';
import { requestRate } from '../machine/request-rate.js';
import type { Goal, Lab, Subject, Workload } from './workload.js';

const REPOSITORY = 'admin/bench-read';
const TAG = 'latest';

/** GET by tag and by digest with a verified token at 16 and 64 connections, and HEAD of a blob. */
export function manifestReads(): readonly Workload[] {
  return [
    manifestGet('tag', 16, { over: 'distribution', atLeast: 3 }),
    manifestGet('tag', 64, { over: 'distribution', atLeast: 5 }),
    manifestGet('digest', 16),
    manifestGet('digest', 64),
    {
      ...shared('blob-head-16', 'blob HEAD, 16 connections'),
      measure: (subject, lab) => {
        const path = subject.instance.blobPath(REPOSITORY, digestOf(lab.samples.image.config));
        return readRate(subject, lab, { method: 'HEAD', path, connections: 16 });
      },
    },
  ];
}

function manifestGet(by: 'tag' | 'digest', connections: number, goal?: Goal): Workload {
  return {
    ...shared(`manifest-${by}-${connections}`, `manifest GET by ${by}, ${connections} connections`),
    ...(goal && { goal }),
    measure: (subject, lab) => {
      const reference = by === 'tag' ? TAG : digestOf(manifestOf(lab.samples.image));
      return readRate(subject, lab, { method: 'GET', path: `/v2/${REPOSITORY}/manifests/${reference}`, connections });
    },
  };
}

function shared(name: string, title: string) {
  return { name, title, unit: '1/s', prepare: pushSample } as const;
}

async function pushSample({ instance }: Subject, { samples }: Lab): Promise<void> {
  const connection = createConnection(instance.origin);
  const token = await instance.token(REPOSITORY, 'pull,push');
  const tagged = { method: 'HEAD', path: `/v2/${REPOSITORY}/manifests/${TAG}` } as const;
  const headers = { Authorization: `Bearer ${token}`, Accept: IMAGE_MANIFEST };
  if ((await connection.exchange({ ...tagged, headers })).status !== 200) {
    await pushImage(
      connection,
      { repository: REPOSITORY, token },
      { image: samples.image, tag: TAG, style: 'containerd' },
    );
  }
  connection.close();
}

interface Read {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly connections: number;
}

async function readRate(
  { instance }: Subject,
  { client, size }: Lab,
  { method, path, connections }: Read,
): Promise<number> {
  const token = await instance.token(REPOSITORY, 'pull');
  const headers = { Authorization: `Bearer ${token}`, Accept: IMAGE_MANIFEST };
  const request = { method, path, headers };
  return requestRate(client, { origin: instance.origin, request, connections, durationMs: size.durationMs });
}
