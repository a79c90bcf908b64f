import type { Usage } from '../ports/usage.js';

const BATCH = 10_000;

/** Told after each step how many changes it folded. */
export type OnFolded = (changes: number) => Promise<void>;

const ignore: OnFolded = async () => {};

/** Folds what was appended to the account until nothing is left or `signal` aborts. Resolves with the number of changes. */
export async function foldUsage(
  usage: Pick<Usage, 'fold'>,
  signal: AbortSignal = new AbortController().signal,
  onFolded: OnFolded = ignore,
): Promise<number> {
  let folded = 0;
  for (let hasMore = true; hasMore && !signal.aborted;) {
    const step = await usage.fold(BATCH);
    folded += step.changes;
    await onFolded(step.changes);
    hasMore = step.hasMore;
  }
  return folded;
}

/** The same for the notes of manifests that were pulled. */
export async function foldManifestUses(
  usage: Pick<Usage, 'foldManifestUses'>,
  signal: AbortSignal = new AbortController().signal,
  onFolded: OnFolded = ignore,
): Promise<number> {
  let folded = 0;
  for (let step = BATCH; step === BATCH && !signal.aborted; folded += step) {
    step = await usage.foldManifestUses(BATCH);
    await onFolded(step);
  }
  return folded;
}
