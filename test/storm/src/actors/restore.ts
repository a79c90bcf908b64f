import type { StormManifest } from '../model/contents.js';
import type { Group } from '../model/group.js';
import { Violation } from '../model/violation.js';
import { count, type Storm } from './storm.js';

/** How often a deleted repository is asked for again. */
const RESTORED = 0.6;

/** Gives a tag back what it meant before its last change, where that is still there. */
export async function restoreTag(storm: Storm, group: Group, tag: string): Promise<void> {
  await group.change(`restore ${tag}`, async () => {
    const digest = await storm.undo.restoreTag(group.repository, tag);
    const manifest = digest === undefined ? undefined : group.find(digest);
    group.note(`  ${manifest?.name ?? digest ?? 'refused'}`);
    count(storm, `tags ${digest === undefined ? 'that could not be restored' : 'restored'}`);
    if (digest === undefined) return;
    if (!manifest) throw new Violation('INV-4', `${tag} was restored to ${digest}, which it never was`, group);
    group.put(manifest, tag);
  });
}

/** Gives a deleted manifest back, without its tags. */
export async function restoreManifest(storm: Storm, group: Group, manifest: StormManifest): Promise<void> {
  await group.change(`restore ${manifest.name}`, async () => {
    const isRestored = await storm.undo.restoreManifest(group.repository, manifest.content.digest);
    group.note(`  ${isRestored ? 'restored' : 'refused'}`);
    count(storm, `manifests ${isRestored ? 'restored' : 'that could not be restored'}`);
    if (isRestored) group.put(manifest);
  });
}

/** Removes a manifest for good, and what only it needed. */
export async function purgeManifest(storm: Storm, group: Group, manifest: StormManifest): Promise<void> {
  await group.change(`purge ${manifest.name}`, async () => {
    const digests = await storm.undo.purgeManifest(group.repository, manifest.content.digest);
    const gone = digests?.map((digest) => group.find(digest)) ?? [];
    group.note(`  ${digests ? gone.map((one) => one?.name).join(' ') : 'refused'}`);
    count(storm, `purges ${digests ? 'done' : 'refused'}`);
    for (const one of gone) if (one) group.remove(one);
  });
}

/**
 * Deletes the repository that only this group is in, and perhaps takes it back; others mount from it, and upload to it,
 * meanwhile.
 */
export async function deleteRepository(storm: Storm, group: Group): Promise<void> {
  const { repository } = group;
  await group.change(`delete ${repository}`, async () => {
    await storm.undo.deleteRepository(repository);
    const bringBack = group.clear();
    count(storm, 'repositories deleted');
    const isRestored = storm.random.isLikely(RESTORED) && (await storm.undo.restoreRepository(repository));
    group.note(`  ${isRestored ? 'restored' : 'gone'}`);
    if (isRestored) {
      bringBack();
      count(storm, 'repositories restored');
    } else {
      await storm.undo.createRepository(repository);
    }
  });
}
