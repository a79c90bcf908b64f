import { join } from 'node:path';
import { createConnection } from '../client/connection.js';
import { digestOf, manifestOf, pushImage } from '../client/push-image.js';
import type { Lab, Size, Subject, Workload } from './workload.js';

const PAGE = 100;
const FEW_TAGS = 1_000;
const MIN_REQUESTS = 3;

/** The time of a page of 100 tags: the first and a deep one among many, beside the first among few. */
export function tagPages({ tags }: Size): readonly Workload[] {
  return [tagPage(FEW_TAGS, 'first'), tagPage(tags, 'first'), tagPage(tags, 'deep')];
}

function tagPage(count: number, position: 'first' | 'deep'): Workload {
  const repository = `admin/bench-tags-${count}`;
  return {
    name: `tags-${count}-${position}`,
    title: `${position} page of ${PAGE} tags among ${count.toLocaleString('en')}`,
    unit: 'ms',
    prepare: (subject, lab) => loadTags(subject, lab, { repository, count }),
    measure: async ({ instance }, lab) => {
      const last = position === 'deep' ? `&last=${tagName(Math.floor(count * 0.9))}` : '';
      const path = `/v2/${repository}/tags/list?n=${PAGE}${last}`;
      const headers = { Authorization: `Bearer ${await instance.token(repository, 'pull')}` };
      const request = { method: 'GET', path, headers } as const;
      const job = { kind: 'repeat', origin: instance.origin, request, connections: 1, atLeast: MIN_REQUESTS } as const;
      const { medianMs } = await lab.client.run({ ...job, durationMs: lab.size.durationMs / 4 });
      return medianMs;
    },
  };
}

function tagName(index: number): string {
  return `v${String(index).padStart(6, '0')}`;
}

/** One manifest under many names; nothing to do where the repository is there already. */
async function loadTags(
  { instance }: Subject,
  lab: Lab,
  { repository, count }: { repository: string; count: number },
): Promise<void> {
  const connection = createConnection(instance.origin);
  const token = await instance.token(repository, 'pull,push');
  const headers = { Authorization: `Bearer ${token}` };
  const listed = await connection.exchange({ method: 'GET', path: `/v2/${repository}/tags/list?n=1`, headers });
  if (listed.status !== 200) {
    const { image } = lab.samples;
    const manifest = manifestOf(image);
    const digest = digestOf(manifest);
    await pushImage(connection, { repository, token }, { image, tag: digest, style: 'containerd' });
    const tags = Array.from({ length: count }, (_, index) => tagName(index));
    const treeDirectory = join(lab.directory, `tag-tree-${count}`);
    await instance.loadTags({ repository, manifest, digest, tags, treeDirectory });
  }
  connection.close();
}
