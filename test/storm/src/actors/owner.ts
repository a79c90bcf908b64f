import type { StormManifest } from '../model/contents.js';
import type { Group } from '../model/group.js';
import { deleteBlob, deleteManifest, deleteTag } from './remove.js';
import { deleteRepository, purgeManifest, restoreManifest, restoreTag } from './restore.js';
import { pushBlob, pushManifest } from './push.js';
import { prefer, type Storm } from './storm.js';

type Deed = (storm: Storm, group: Group) => Promise<unknown>;

const manifestOf = ({ random }: Storm, { manifests }: Group) => random.pick(manifests as [StormManifest]);
const tagOf = ({ random }: Storm, { tagNames }: Group) => random.pick(tagNames as [string, ...string[]]);
const liveOf = (storm: Storm, { live, manifests }: Group) => prefer(storm, live, manifests);
const deletedOf = (storm: Storm, { deleted, manifests }: Group) => prefer(storm, deleted, manifests);
const setTagOf = (storm: Storm, { tags, tagNames }: Group) => prefer(storm, tags.keys(), tagNames);

/** What owners do, and how often. A tag that is pushed moves, where it was another manifest's. */
const DEEDS: readonly (readonly [number, Deed])[] = [
  [0.36, (storm, group) => pushManifest(storm, group, manifestOf(storm, group), tagOf(storm, group))],
  [0.12, (storm, group) => pushManifest(storm, group, manifestOf(storm, group))],
  [0.1, (storm, group) => deleteTag(storm, group, setTagOf(storm, group))],
  [0.1, (storm, group) => deleteManifest(storm, group, liveOf(storm, group))],
  [0.1, (storm, group) => restoreTag(storm, group, tagOf(storm, group))],
  [0.1, (storm, group) => restoreManifest(storm, group, deletedOf(storm, group))],
  // Purging breaks promises, as it is meant to.
  [0.02, async (storm, group) => !storm.isPromised && purgeManifest(storm, group, liveOf(storm, group))],
  [0.1, (storm, group) => disturb(storm, group)],
];
/** How often an owner that has a repository to itself deletes it. */
const REPOSITORY_DELETION = 0.01;

/** One deed of the owner, in one of its groups; `own` is the group whose repository nobody else has manifests in. */
export async function work(storm: Storm, groups: readonly Group[], own?: Group): Promise<unknown> {
  const { random } = storm;
  if (own && random.isLikely(REPOSITORY_DELETION)) return deleteRepository(storm, own);
  let left = random.fraction();
  const group = random.pick(groups as [Group, ...Group[]]);
  for (const [share, deed] of DEEDS) {
    left -= share;
    if (left < 0) return deed(storm, group);
  }
  return undefined;
}

/** Blobs come and go in a repository without any manifest; where grace is promised nobody deletes what others found. */
async function disturb(storm: Storm, { repository }: Group): Promise<void> {
  const { random, blobs, isPromised } = storm;
  if (!isPromised && random.isLikely(0.5)) return deleteBlob(storm, repository);
  return pushBlob(storm, repository, random.pick(blobs as [(typeof blobs)[number]]), random.pick(['head', 'mount']));
}
