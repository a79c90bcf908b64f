import type { StormManifest } from '../model/contents.js';
import type { Group } from '../model/group.js';
import { Violation } from '../model/violation.js';
import { act, type Storm } from './storm.js';

/** Deletes a tag, which is there or not: nobody but this owner changes it. */
export async function deleteTag(storm: Storm, group: Group, tag: string): Promise<void> {
  const expected = group.tags.has(tag) ? 202 : 404;
  await group.change(`DELETE tag ${tag}`, async () => {
    const path = `/v2/${group.repository}/manifests/${tag}`;
    const { status } = await act(storm, 'DELETE tag', { method: 'DELETE', path });
    group.note(`  ${status}`);
    if (status !== expected)
      throw new Violation('INV-4', `${tag} was to be deleted with ${expected}, not ${status}`, group);
    group.removeTag(tag);
  });
}

/** Deletes a manifest by digest; 405 is right where an index lists it, and 404 where it may have been collected. */
export async function deleteManifest(storm: Storm, group: Group, manifest: StormManifest): Promise<void> {
  const allowed = answersToDeletion(group, manifest);
  await group.change(`DELETE ${manifest.name}`, async () => {
    const path = `/v2/${group.repository}/manifests/${manifest.content.digest}`;
    const { status } = await act(storm, 'DELETE manifest', { method: 'DELETE', path });
    group.note(`  ${status}`);
    if (!allowed.includes(status)) {
      const what = `${manifest.name} was to be deleted with ${allowed.join(' or ')}, not ${status}`;
      throw new Violation(status === 404 ? 'INV-1' : 'INV-3', what, group);
    }
    if (status !== 405) group.remove(manifest);
  });
}

function answersToDeletion(group: Group, manifest: StormManifest): readonly number[] {
  const parents = group.manifests.filter(({ children }) => children.includes(manifest));
  const isListed = parents.some((parent) => group.presenceOf(parent) === 'present');
  const mayBeListed = parents.some((parent) => group.presenceOf(parent) === 'maybe');
  switch (group.presenceOf(manifest)) {
    case 'absent':
      return [404];
    case 'present':
      return isListed ? [405] : [202, ...(mayBeListed ? [405] : [])];
    case 'maybe':
      return [202, 404, ...(mayBeListed ? [405] : [])];
  }
}

/** Deletes a blob from a repository; whoever still needs it keeps it. */
export async function deleteBlob(storm: Storm, repository: string): Promise<void> {
  const { digest } = storm.random.pick(storm.blobs as [(typeof storm.blobs)[number]]);
  const path = `/v2/${repository}/blobs/${digest}`;
  const { status } = await act(storm, 'DELETE blob', { method: 'DELETE', path });
  if (status !== 202 && status !== 404) throw new Violation('INV-3', `DELETE ${path}: ${status}`);
}
