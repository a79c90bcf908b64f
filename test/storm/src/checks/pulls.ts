import { readBlob } from '../actors/reader.js';
import type { Storm } from '../actors/storm.js';
import type { Group } from '../model/group.js';
import { Violation } from '../model/violation.js';

/** Pulls everything that must be there, byte for byte, and looks that what was deleted stays so (INV-1, INV-2, INV-3). */
export async function checkPulls(storm: Storm): Promise<string> {
  const waiting = [...storm.groups];
  const pull = async () => {
    for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) await pullGroup(storm, group);
  };
  await Promise.all(Array.from({ length: 16 }, pull));
  const manifests = storm.groups.reduce((sum, { live }) => sum + live.size, 0);
  return `${manifests} live manifests were pulled with their blobs, from every registry in turn`;
}

async function pullGroup(storm: Storm, group: Group): Promise<void> {
  const { repository } = group;
  const get = (reference: string) =>
    storm.client.send({ method: 'GET', path: `/v2/${repository}/manifests/${reference}` });
  for (const manifest of group.manifests) {
    const answer = await get(manifest.content.digest);
    const isLive = group.live.has(manifest);
    if (isLive && (answer.status !== 200 || !answer.body.equals(manifest.content.bytes))) {
      throw new Violation('INV-1', `${manifest.name}: ${answer.status} in the end`, group);
    }
    if (group.presenceOf(manifest) === 'absent' && answer.status !== 404) {
      throw new Violation('INV-3', `${manifest.name} was deleted, and is there in the end`, group);
    }
  }
  for (const tag of group.tagNames) {
    const { status, body } = await get(tag);
    const expected = group.tags.get(tag);
    const isRight = expected ? status === 200 && body.equals(expected.content.bytes) : status === 404;
    if (!isRight)
      throw new Violation('INV-4', `${tag} is ${status} in the end, not ${expected?.name ?? 'absent'}`, group);
  }
  for (const blob of group.blobs()) {
    const problem = await readBlob(storm, repository, blob);
    if (problem !== undefined) throw new Violation('INV-1', `${problem} in the end`, group);
  }
}
