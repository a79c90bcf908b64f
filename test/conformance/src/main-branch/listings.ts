import type { DataSet, Descriptor } from '../data/data-set.js';
import { mediaTypes } from '../data/media-types.js';
import { Mismatch, throwAll, Unsupported } from '../ledger/outcome.js';
import { describe, expectReply, headerOf, readJson } from '../wire/expect.js';
import { target, withQuery } from '../wire/target.js';
import type { Query } from '../wire/target.js';
import { examine } from './trial.js';
import type { Section, Trial } from './trial.js';

/** All tags of the repository (end-8a, end-8b); none when the registry does not know it. */
export async function listTags(trial: Trial, query: Query = {}): Promise<readonly string[]> {
  const url = withQuery(target(trial.registry, trial.repository, 'tags/list'), query);
  const reply = await trial.client.send({ method: 'GET', url });
  expectReply(reply, { status: [200, 404] });
  if (reply.status === 404) return [];
  const { tags } = readJson(reply);
  if (!Array.isArray(tags)) throw new Mismatch(`${describe(reply)}: "tags" is no list`);
  return tags.map(String);
}

/** The list holds every tag of the set, and `last` cuts it bytewise (end-8a, end-8b). */
export function examineTagList(section: Section, set: DataSet): Promise<boolean> {
  return examine(section, 'tag-list', async () => {
    const tags = await listTags(section.trial);
    const faults = [...set.tags.keys()].filter((tag) => !tags.includes(tag)).map((tag) => `${tag} is not listed`);
    // Tags are ASCII, so the order of code units is the order of bytes.
    const sorted = tags.toSorted();
    const middle = Math.floor(sorted.length / 2);
    const last = sorted[middle - 1];
    if (last !== undefined) {
      const rest = await listTags(section.trial, { last });
      const early = sorted.slice(0, middle).filter((tag) => rest.includes(tag));
      const absent = sorted.slice(middle).filter((tag) => !rest.includes(tag));
      faults.push(...early.map((tag) => `${tag} is listed after ${last}`));
      faults.push(...absent.map((tag) => `${tag} is missing after ${last}`));
    }
    throwAll(faults.map((fault) => new Mismatch(fault)));
  });
}

/** The answer of the referrers endpoint, checked as far as every answer must be the same. */
export interface Referrers {
  readonly descriptors: readonly Readonly<Record<string, unknown>>[];
  readonly isFiltered: boolean;
}

/** Lists the referrers of a digest (end-12a, end-12b): always 200 with an OCI index. */
export async function listReferrers(trial: Trial, digest: string, query: Query = {}): Promise<Referrers> {
  const url = withQuery(target(trial.registry, trial.repository, `referrers/${digest}`), query);
  const reply = await trial.client.send({ method: 'GET', url });
  expectReply(reply, { status: [200], headers: { 'Content-Type': mediaTypes.index } });
  const { mediaType, schemaVersion, manifests } = readJson(reply);
  if (mediaType !== mediaTypes.index || schemaVersion !== 2 || !Array.isArray(manifests)) {
    throw new Mismatch(`${describe(reply)}: the body is no OCI index of schema version 2`);
  }
  const filters = (headerOf(reply, 'OCI-Filters-Applied') ?? '').split(',').map((filter) => filter.trim());
  return { descriptors: manifests, isFiltered: filters.includes('artifactType') };
}

/** Every referrer of the set's subjects is listed as it should be, with and without a filter by type. */
export async function examineReferrers(section: Section, set: DataSet): Promise<void> {
  if (set.referrers.size === 0) return;
  await examine(section, 'referrers', async () => {
    const complaints: Error[] = [];
    for (const [subject, expected] of set.referrers) {
      const { descriptors } = await listReferrers(section.trial, subject);
      complaints.push(...missingFrom(descriptors, expected));
      const types = new Set(expected.map((referrer) => referrer.artifactType ?? ''));
      for (const artifactType of types) {
        complaints.push(...(await findFilterFaults(section.trial, { subject, artifactType, expected })));
      }
    }
    throwAll(complaints);
  });
}

type Filtered = { readonly subject: string; readonly artifactType: string; readonly expected: readonly Descriptor[] };

async function findFilterFaults(trial: Trial, filtered: Filtered): Promise<Error[]> {
  const { subject, artifactType, expected } = filtered;
  const { descriptors, isFiltered } = await listReferrers(trial, subject, { artifactType });
  if (!isFiltered) {
    return [new Unsupported('no OCI-Filters-Applied: artifactType'), ...missingFrom(descriptors, expected)];
  }
  const wanted = expected.filter((referrer) => (referrer.artifactType ?? '') === artifactType);
  const strangers = descriptors.filter((descriptor) => (descriptor['artifactType'] ?? '') !== artifactType);
  const faults = strangers.map((stranger) => new Mismatch(`the filter ${artifactType} let ${stranger['digest']} pass`));
  return [...missingFrom(descriptors, wanted), ...faults];
}

function missingFrom(descriptors: Referrers['descriptors'], expected: readonly Descriptor[]): Mismatch[] {
  return expected
    .filter((referrer) => !descriptors.some((descriptor) => isSameReferrer(descriptor, referrer)))
    .map((referrer) => new Mismatch(`the referrer ${referrer.digest} is missing or described otherwise`));
}

function isSameReferrer(descriptor: Readonly<Record<string, unknown>>, expected: Descriptor): boolean {
  const annotations = (descriptor['annotations'] ?? {}) as Readonly<Record<string, unknown>>;
  const wanted = Object.entries(expected.annotations ?? {});
  return (
    descriptor['digest'] === expected.digest &&
    descriptor['mediaType'] === expected.mediaType &&
    descriptor['size'] === expected.size &&
    (descriptor['artifactType'] ?? '') === (expected.artifactType ?? '') &&
    wanted.every(([name, value]) => annotations[name] === value)
  );
}
