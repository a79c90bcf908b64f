import type { StormManifest } from './contents.js';

/** What is there, as far as someone knows. */
export interface Shelf {
  readonly manifests: readonly StormManifest[];
  /** What each tag points at. */
  readonly tags: ReadonlyMap<string, StormManifest>;
  isThere(manifest: StormManifest): boolean;
}

/**
 * What garbage collection must keep of a shelf, by the rules of docs/gc.md without those about time: written a second time
 * here, so that the product is not asked about itself.
 */
export function liveOf(shelf: Shelf): Set<StormManifest> {
  const tagged = new Set(shelf.tags.values());
  const parentsOf = (child: StormManifest) => shelf.manifests.filter(({ children }) => children.includes(child));
  const referrersOf = (subject: StormManifest) => shelf.manifests.filter((manifest) => manifest.subject === subject);
  const isLive = (manifest: StormManifest): boolean =>
    hasClaim(manifest) || (shelf.isThere(manifest) && manifest.subject !== undefined && isLive(manifest.subject));
  const hasClaim = (manifest: StormManifest): boolean =>
    shelf.isThere(manifest) &&
    (tagged.has(manifest) || parentsOf(manifest).some(isLive) || referrersOf(manifest).some(hasClaim));
  return new Set(shelf.manifests.filter(isLive));
}
