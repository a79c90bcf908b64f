import type { LostRepository, RebuildReport } from '@entrepot/content';
import { formatCount } from '../storage/migration-progress.js';

const WHY_LOST: Readonly<Record<LostRepository['reason'], string>> = {
  replaced: 'a later one has its name',
  'no namespace': 'the log does not have its namespace',
};

/** What was made, and what has to be done by hand. */
export function describeRows({ rows, unfinishedObjects }: RebuildReport, isDryRun: boolean): string {
  const { repositories, deletedRepositories, manifests, tags, blobs, users, spareObjects } = rows;
  const made = [
    repositories === 1 ? '1 repository' : `${repositories} repositories`,
    ...(deletedRepositories > 0 ? [`${deletedRepositories} deleted that can be restored`] : []),
    formatCount(manifests, 'manifest'),
    formatCount(tags, 'tag'),
    formatCount(blobs, 'blob'),
  ];
  const lines = [`${isDryRun ? 'would rebuild' : 'rebuilt'} ${made.join(', ')}`];
  if (spareObjects > 0)
    lines.push(`${formatCount(spareObjects, 'further object')} of blobs that have one will be removed`);
  if (unfinishedObjects > 0) {
    lines.push(`${formatCount(unfinishedObjects, 'object')} of unfinished uploads: the sweep removes them in time`);
  }
  if (users > 0) {
    lines.push(
      `${formatCount(users, 'user')} without a password, disabled: see 'entrepot user reset-password' and 'entrepot user enable'`,
      "the account admin gets its password at the next 'entrepot start' or 'entrepot migrate'",
      'members, teams, grants and the history of tags are not in the log',
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** A line for each loss. */
export function describeLosses({ faults, refused, lostRepositories, missing, lostTags }: RebuildReport): string[] {
  return [
    ...faults.map(({ document, reason }) => `log document ${document}: ${reason}`),
    ...refused.map(({ digest, reason }) => `manifest ${digest} is not restored: ${reason}`),
    ...lostRepositories.map(
      ({ repository, id, reason }) => `repository ${repository} (${id}) is not restored: ${WHY_LOST[reason]}`,
    ),
    ...missing.map(
      ({ kind, digest, fault, repository, manifest }) =>
        `${kind} ${digest} is ${fault}: ${repository}@${manifest} needs it; push it again`,
    ),
    ...lostTags.map(({ repository, tag, digest }) => `tag ${repository}:${tag} is not restored: no manifest ${digest}`),
  ];
}
