import {
  gcSection,
  type NamedUsage,
  type ObjectFigures,
  type PreviewedRemovals,
  type TotalUsage,
  type Usage,
  type UsageFigures,
} from '@entrepot/content';
import { PostgresReviews, type DatabasePool } from '@entrepot/metadata';
import { parseRepositoryName } from '@entrepot/oci';
import { loadConfig } from '@entrepot/runtime';
import { listAll } from '../administration/list-all.js';
import { formatList } from '../commands/print-list.js';
import { CommandFailure } from '../exit-codes.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';
import { formatBytes, formatCount } from '../storage/migration-progress.js';
import { withUsage } from './open-usage.js';

export interface ShowUsage {
  /** A namespace such as `acme`, or a repository such as `acme/app`; everything where it is not given. */
  readonly of?: string;
  readonly json?: true;
  /** Count anew in place of reading the account. */
  readonly exact?: true;
}

/** By a review of this moment, and by later ones if nobody pushes, pulls or restores anything; what waits is among them. */
interface WouldFree {
  readonly wouldFree: ObjectFigures;
  readonly wouldFreeLater: ObjectFigures;
}

/** What is shown: figures of the whole, and of its parts where it has any. */
type Shown =
  | (TotalUsage & WouldFree & { readonly namespaces: readonly NamedUsage[] })
  | (NamedUsage & { readonly repositories: readonly NamedUsage[] })
  | NamedUsage;

/** Shows how much is stored. Throws `CommandFailure` where there is nothing of the name. */
export async function showUsage(
  source: SettingsSource,
  { of, json, exact }: ShowUsage,
  write: (text: string) => void,
): Promise<void> {
  const shown = await withUsage(source, { isCounted: exact === true }, (usage, pool) => {
    if (of === undefined) return ofEverything(source, usage, pool);
    return of.includes('/') ? ofRepository(usage, of) : ofNamespace(usage, of);
  });
  write(json ? `${JSON.stringify(shown, null, 2)}\n` : formatUsage(shown));
}

async function ofEverything(source: SettingsSource, usage: Usage, pool: DatabasePool): Promise<Shown> {
  const namespaces = await listAll(
    (page) => usage.namespaces(page),
    ({ name }) => name,
  );
  return { ...(await usage.total()), ...(await previewFreed(source, pool)), namespaces };
}

async function previewFreed(source: SettingsSource, pool: DatabasePool): Promise<WouldFree> {
  const { grace, undo, untagged, orphans } = loadConfig([gcSection], { ...source, known: standaloneSections }).gc;
  const terms = { graceMs: grace, undoMs: undo, untaggedMs: untagged, orphansMs: orphans };
  const { now, later } = await new PostgresReviews(pool).previewReview(terms);
  return { wouldFree: objectsOf(now), wouldFreeLater: objectsOf(later) };
}

function objectsOf({ objects, bytes }: PreviewedRemovals): ObjectFigures {
  return { objects, bytes };
}

async function ofNamespace(usage: Usage, name: string): Promise<Shown> {
  const figures = await usage.ofNamespace(name);
  if (!figures) throw new CommandFailure('refused', `there is no namespace ${name}`);
  const repositories = await listAll(
    (page) => usage.repositories(name, page),
    (repository) => repository.name,
  );
  return { ...figures, repositories };
}

async function ofRepository(usage: Usage, text: string): Promise<Shown> {
  const figures = await usage.ofRepository(parseRepositoryName(text));
  if (!figures) throw new CommandFailure('refused', `there is no repository ${text}`);
  return figures;
}

function formatUsage(shown: Shown): string {
  const parts = 'namespaces' in shown ? shown.namespaces : 'repositories' in shown ? shown.repositories : [];
  const lines = [
    ['logical', `${formatBytes(shown.logicalBytes)} in ${formatCount(shown.manifests, 'manifest')}`],
    ['deduplicated', `${formatBytes(shown.deduplicatedBytes)} with ${formatCount(shown.blobs, 'blob')}`],
    ...('freed' in shown ? formatFreed(shown) : []),
  ];
  const head = lines.map(([what = '', figures = '']) => `${what.padEnd(22)} ${figures}\n`).join('');
  return parts.length === 0 ? head : `${head}\n${formatList(parts.map(toRow), {})}`;
}

function formatFreed({ wouldFree, wouldFreeLater, freed }: TotalUsage & WouldFree): string[][] {
  return [
    ['could be freed now', formatObjects(wouldFree)],
    ['later, if left alone', formatObjects(wouldFreeLater)],
    ['freed so far', formatObjects(freed)],
  ];
}

function formatObjects({ objects, bytes }: ObjectFigures): string {
  return `${formatBytes(bytes)} in ${formatCount(objects, 'object')}`;
}

function toRow({ name, manifests, logicalBytes, blobs, deduplicatedBytes }: NamedUsage & UsageFigures) {
  return { name, manifests, logical: formatBytes(logicalBytes), blobs, deduplicated: formatBytes(deduplicatedBytes) };
}
