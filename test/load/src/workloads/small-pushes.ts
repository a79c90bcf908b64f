import type { PushStyle } from '../client/push-image.js';
import { settleDisk } from '../machine/file-system.js';
import type { Workload } from './workload.js';

const CONNECTIONS = 50;
const LAYER_BYTES = 4096;

/** Images of one 4 KiB layer, 50 at once, into one repository and into 50, in the two ways that engines push. */
export function smallPushes(): readonly Workload[] {
  return [smallPush(1, 'docker'), smallPush(50, 'docker'), smallPush(1, 'containerd'), smallPush(50, 'containerd')];
}

function smallPush(repositories: number, style: PushStyle): Workload {
  const into = repositories === 1 ? 'one repository' : `${repositories} repositories`;
  const wire = style === 'docker' ? 'POST PATCH PUT' : 'POST PUT';
  return {
    name: `push-${repositories}-${style}`,
    title: `4 KiB image push, ${into}, ${wire}`,
    unit: '1/s',
    goal: { over: 'every peer', atLeast: 1 },
    measure: async ({ instance }, { client, size, directory }) => {
      const targets = [];
      for (let index = 0; index < repositories; index++) {
        const repository = `admin/bench-push-${repositories}-${index}`;
        targets.push({ repository, token: await instance.token(repository, 'pull,push') });
      }
      await settleDisk(directory);
      const { images } = size;
      const job = { kind: 'push', origin: instance.origin, targets, images, style } as const;
      const { count, elapsedMs } = await client.run({ ...job, connections: CONNECTIONS, layerBytes: LAYER_BYTES });
      return (count / elapsedMs) * 1000;
    },
  };
}
