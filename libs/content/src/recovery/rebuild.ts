import type { BlobStore } from '../ports/blob-store.js';
import type { LostRepository, LostTag, MissingContent, RebuildTarget, RebuiltRows } from '../ports/rebuild-target.js';
import type { RecoveryLog } from '../ports/recovery-log.js';
import { endOfLog, readRecoveryLog, type LogFault } from './read-recovery-log.js';
import { rebuildManifests, type RefusedManifest } from './rebuild-manifests.js';
import { stageObjects } from './stage-objects.js';

/** Losses that are named one by one; what is beyond is not looked up. */
const MAX_NAMED = 1_000;

export type RebuildStep = 'log' | 'objects' | 'manifests' | 'references';

/** What a rebuild works with. */
export interface RebuildRoom {
  readonly log: RecoveryLog;
  /** All stores, the one that takes new objects first. */
  readonly store: BlobStore;
  readonly target: RebuildTarget;
  readonly graceMs: number;
  /** Called now and then: how many documents, objects or manifests were dealt with. */
  readonly onProgress: (step: RebuildStep, done: number) => void;
}

export interface RebuildReport {
  readonly rows: RebuiltRows;
  /** Documents of the log that could not be used. */
  readonly faults: readonly LogFault[];
  /** Manifests of the log that are not what their digest says. */
  readonly refused: readonly RefusedManifest[];
  readonly lostRepositories: readonly LostRepository[];
  readonly missing: readonly MissingContent[];
  readonly lostTags: readonly LostTag[];
  /** Objects without a record: uploads that were under way. */
  readonly unfinishedObjects: number;
}

/**
 * Makes the rows of an empty database from the log and the records of objects. Nothing is lost where the report names no
 * fault, no refused manifest, no lost repository, no missing content and no lost tag.
 */
export async function rebuild(room: RebuildRoom): Promise<RebuildReport> {
  const { log, store, target, graceMs, onProgress } = room;
  let documents = 0;
  const { faults, logId } = await readRecoveryLog(log, async (records) => {
    await target.stageRecords(records);
    onProgress('log', (documents += 1));
  });
  const unfinishedObjects = await stageObjects(store, target, (done) => onProgress('objects', done));
  const lostRepositories = await target.makeRepositories();
  await target.makeBlobs(graceMs);
  const refused = await rebuildManifests(target, (done) => onProgress('manifests', done));
  onProgress('references', 0);
  await target.resolveReferences(() => store.newKey());
  const missing = await target.missingContent(MAX_NAMED);
  const lostTags = await target.makeTags(MAX_NAMED);
  const lastNumber = (await endOfLog(log))?.highest ?? 0;
  const rows = await target.finish({ graceMs, lastNumber, ...(logId !== undefined && { logId }) });
  return { rows, faults, refused, lostRepositories, missing, lostTags, unfinishedObjects };
}

export function hasLosses({ faults, refused, lostRepositories, missing, lostTags }: RebuildReport): boolean {
  return faults.length + refused.length + lostRepositories.length + missing.length + lostTags.length > 0;
}
