import { digestOf, type Content } from '@entrepot/testkit/images';
import type { StormManifest } from '../model/contents.js';
import type { Group, Version } from '../model/group.js';
import { Violation } from '../model/violation.js';
import { act, count, prefer, type Storm } from './storm.js';

/** Reads what others push and delete, and holds the registry to what it told them. */
export async function read(storm: Storm): Promise<void> {
  const { random } = storm;
  const group = random.pick(storm.groups as [Group, ...Group[]]);
  const kind = random.fraction();
  if (kind < 0.45) return readTag(storm, group);
  if (kind < 0.85) return readManifest(storm, group, prefer(storm, group.live, group.manifests));
  if (kind < 0.93) return readReferrers(storm, group);
  return readAsStranger(storm, group);
}

/** Nothing began to change the group since, so that what it was to hold it holds. */
function isStill(group: Group, version: Version | undefined): boolean {
  return version !== undefined && group.version === version;
}

async function readTag(storm: Storm, group: Group): Promise<void> {
  const tag = prefer(storm, group.tags.keys(), group.tagNames);
  const { version } = group;
  const expected = group.tags.get(tag);
  const answer = await getManifest(storm, group, tag);
  const found = answer.status === 200 ? group.find(digestOf(answer.body)) : undefined;
  if (answer.status === 200 && !found) throw new Violation('INV-2', `${tag} is no manifest of its owner`, group);
  if (!isStill(group, version)) return count(storm, 'reads beside a change');
  if (found !== expected) {
    throw new Violation('INV-4', `${tag} is ${found?.name ?? answer.status}, not ${expected?.name ?? 'absent'}`, group);
  }
  if (found) await readBlobs(storm, group, found, version);
}

async function readManifest(storm: Storm, group: Group, manifest: StormManifest): Promise<void> {
  const { version } = group;
  const isLive = group.live.has(manifest);
  const presence = group.presenceOf(manifest);
  const answer = await getManifest(storm, group, manifest.content.digest);
  if (answer.status === 200 && !answer.body.equals(manifest.content.bytes)) {
    throw new Violation('INV-2', `${manifest.name} has other bytes`, group);
  }
  if (!isStill(group, version)) return count(storm, 'reads beside a change');
  if (isLive && answer.status !== 200) throw new Violation('INV-1', `${manifest.name}: ${answer.status}`, group);
  if (presence === 'absent' && answer.status !== 404) {
    throw new Violation('INV-3', `${manifest.name} was deleted: ${answer.status}`, group);
  }
  if (isLive) await readBlobs(storm, group, manifest, version);
}

function getManifest(storm: Storm, { repository }: Group, reference: string) {
  return act(storm, 'GET manifest', { method: 'GET', path: `/v2/${repository}/manifests/${reference}` });
}

/** The whole of a manifest that is live, as long as it is. */
async function readBlobs(
  storm: Storm,
  group: Group,
  manifest: StormManifest,
  version: Version | undefined,
): Promise<void> {
  for (const blob of manifest.blobs) {
    const problem = await readBlob(storm, group.repository, blob);
    if (!isStill(group, version)) return count(storm, 'reads beside a change');
    if (problem !== undefined) throw new Violation('INV-1', `${manifest.name}: ${problem}`, group);
  }
}

/** Says what is wrong where the blob is not there. */
export async function readBlob(storm: Storm, repository: string, blob: Content): Promise<string | undefined> {
  const path = `/v2/${repository}/blobs/${blob.digest}`;
  const answer = await act(storm, 'GET blob', { method: 'GET', path });
  if (answer.status !== 200) return `${path}: ${answer.status}`;
  if (!answer.body.equals(blob.bytes)) throw new Violation('INV-2', `${path}: other bytes`);
  return undefined;
}

async function readReferrers(storm: Storm, group: Group): Promise<void> {
  const subjects = group.manifests.filter((manifest) => group.manifests.some(({ subject }) => subject === manifest));
  const subject = storm.random.pick(subjects as [StormManifest, ...StormManifest[]]);
  const referrers = group.manifests.filter((manifest) => manifest.subject === subject);
  const { version } = group;
  const path = `/v2/${group.repository}/referrers/${subject.content.digest}`;
  const answer = await act(storm, 'GET referrers', { method: 'GET', path });
  if (!isStill(group, version)) return count(storm, 'reads beside a change');
  const listed = answer.body.toString();
  for (const referrer of referrers) {
    const isListed = listed.includes(referrer.content.digest);
    if (group.live.has(referrer) && !isListed) throw new Violation('INV-1', `${referrer.name} is not listed`, group);
    if (group.presenceOf(referrer) === 'absent' && isListed) {
      throw new Violation('INV-3', `${referrer.name} was deleted, and is listed`, group);
    }
  }
}

async function readAsStranger(storm: Storm, group: Group): Promise<void> {
  const { content } = storm.random.pick(group.manifests as [StormManifest, ...StormManifest[]]);
  const path = `/v2/${group.repository}/manifests/${content.digest}`;
  const { status } = await storm.stranger.send({ method: 'GET', path });
  count(storm, `GET of a stranger ${status}`);
  if (status < 400) throw new Violation('INV-14', `a stranger read ${path}: ${status}`, group);
}
