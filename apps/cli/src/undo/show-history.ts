import type { TagChange } from '@entrepot/content';
import type { RepositoryName, Tag } from '@entrepot/oci';
import { formatList } from '../commands/print-list.js';
import type { SettingsSource } from '../standalone/settings.js';
import { withContent } from './with-content.js';

export interface ShowHistory {
  readonly of: { readonly repository: RepositoryName; readonly tag?: Tag };
  readonly limit: number;
  /** Id of the last change that was shown before. */
  readonly before?: string;
  readonly json?: true;
}

/** One page of what tags meant, newest change first; resolves with the id to go on from, where there are more. */
export async function showHistory(
  source: SettingsSource,
  { of, limit, before, json }: ShowHistory,
  write: (text: string) => void,
): Promise<string | undefined> {
  const { tag } = of;
  const found = await withContent(source, async ({ history, roomOf }) => {
    const { repositoryId } = await roomOf(of.repository);
    const page = { ...(tag !== undefined && { tag }), ...(before !== undefined && { before }) };
    return history.changes({ repositoryId, ...page, limit: limit + 1 });
  });
  const changes = found.slice(0, limit);
  const shown = json ? changes.map(toJson) : changes.map(toRow);
  write(formatList(shown, { ...(json && { json }) }));
  return found.length > limit ? changes.at(-1)?.id : undefined;
}

function toJson({ digest, previousDigest, changedAt, ...change }: TagChange) {
  return { ...change, digest: digest ?? null, previousDigest: previousDigest ?? null, changedAt };
}

function toRow({ id, tag, digest, previousDigest, changedAt, changedBy }: TagChange) {
  return { id, when: changedAt, tag, by: changedBy, digest: digest ?? '(deleted)', before: previousDigest ?? '(none)' };
}
