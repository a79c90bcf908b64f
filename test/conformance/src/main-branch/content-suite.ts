import type { DataSet } from '../data/data-set.js';
import { buildDataSet, dataSetPlans } from '../data/data-sets.js';
import type { DataSetPlan } from '../data/data-sets.js';
import { examineBlobGet, examineBlobHead, examineBlobRemoval } from './blobs.js';
import { examineReferrers, examineTagList } from './listings.js';
import {
  examineManifest,
  examineManifestRemoval,
  examinePutByDigest,
  examinePutByTag,
  manifestOf,
} from './manifests.js';
import { subsection } from './trial.js';
import type { Section, Trial } from './trial.js';
import { pushBlob } from './upload-choice.js';

/** Pushes, lists, reads and deletes every data set that the level and options include. */
export async function runContentSuite(trial: Trial): Promise<void> {
  for (const plan of dataSetPlans) {
    if (plan.needs !== undefined && !trial.features[plan.needs]) continue;
    await runDataSet({ trial, group: plan.name }, plan);
  }
}

async function runDataSet(section: Section, plan: DataSetPlan): Promise<void> {
  const set = buildDataSet(plan);
  const pushedTags = await pushDataSet(subsection(section, 'push'), set, plan.tagsByParameter === true);
  await examineTagList(subsection(section, 'tag-list'), set);
  await readDataSet(subsection(section, 'head'), set, 'HEAD');
  await readDataSet(subsection(section, 'pull'), set, 'GET');
  await examineReferrers(subsection(section, 'referrers'), set);
  await removeDataSet(subsection(section, 'delete'), set, pushedTags);
}

/** Blobs, manifests by digest, then the tags that are not there yet. Returns the tags that were set. */
export async function pushDataSet(
  section: Section,
  set: DataSet,
  tagsByParameter: boolean,
): Promise<ReadonlySet<string>> {
  const { repository } = section.trial;
  for (const [digest, bytes] of set.blobs) await pushBlob(section, { repository, digest, bytes });
  const pushed = new Set<string>();
  for (const manifest of set.manifests) {
    const tags = [...set.tags].filter(([, digest]) => digest === manifest.digest).map(([tag]) => tag);
    const accepted = await examinePutByDigest(section, manifest, tagsByParameter ? tags : []);
    for (const tag of accepted) pushed.add(tag);
  }
  for (const [tag, digest] of set.tags) {
    if (pushed.has(tag)) continue;
    if (await examinePutByTag(section, manifestOf(set, digest), tag)) pushed.add(tag);
  }
  return pushed;
}

async function readDataSet(section: Section, set: DataSet, method: 'GET' | 'HEAD'): Promise<void> {
  for (const [tag, digest] of set.tags)
    await examineManifest(section, method, { manifest: manifestOf(set, digest), tag });
  // A refused manifest is not there to be read.
  const stored = set.manifests.filter((manifest) => manifest.isCorrupt !== true);
  for (const manifest of stored) await examineManifest(section, method, { manifest });
  const examineBlob = method === 'GET' ? examineBlobGet : examineBlobHead;
  const { repository } = section.trial;
  for (const [digest, bytes] of set.blobs) await examineBlob(section, { repository, digest, bytes });
}

/** Tags first, then manifests from the newest to the oldest, so that no index outlives its children, then blobs. */
export async function removeDataSet(section: Section, set: DataSet, tags: ReadonlySet<string>): Promise<void> {
  for (const tag of tags) await examineManifestRemoval(section, 'tag', tag);
  for (const manifest of set.manifests.toReversed()) await examineManifestRemoval(section, 'manifest', manifest.digest);
  for (const digest of set.blobs.keys()) await examineBlobRemoval(section, section.trial.repository, digest);
}
