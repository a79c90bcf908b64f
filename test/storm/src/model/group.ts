import type { Content } from '@entrepot/testkit/images';
import type { StormManifest } from './contents.js';
import { liveOf } from './liveness.js';

/** Lines of a group's history that a report shows. */
const KEPT_LINES = 60;

/** `maybe`: it was there, nothing holds it, and the collector may have had it by now. */
export type Presence = 'present' | 'maybe' | 'absent';

/** Names one state of a group; the same again means that nothing began to change it since. */
export type Version = number;

/**
 * What one owner has in one repository. Nobody else changes these tags and manifests, and the owner does one thing after the
 * other, so that what it was told is what is there; others read at the same time.
 */
export class Group {
  readonly #presence = new Map<StormManifest, Presence>();
  readonly #tags = new Map<string, StormManifest>();
  readonly #history: string[] = [];
  #version: Version = 0;
  #live = new Set<StormManifest>();

  constructor(
    readonly repository: string,
    readonly owner: string,
    readonly manifests: readonly StormManifest[],
    readonly tagNames: readonly string[],
  ) {}

  /** Every manifest that must be pullable, whole. */
  get live(): ReadonlySet<StormManifest> {
    return this.#live;
  }

  get tags(): ReadonlyMap<string, StormManifest> {
    return this.#tags;
  }

  /** Manifests that were deleted, and not pushed or restored since. */
  get deleted(): readonly StormManifest[] {
    return [...this.#presence].flatMap(([manifest, state]) => (state === 'absent' ? [manifest] : []));
  }

  /** The last things that happened to it, oldest first. */
  get history(): readonly string[] {
    return this.#history;
  }

  presenceOf(manifest: StormManifest): Presence {
    return this.#presence.get(manifest) ?? 'absent';
  }

  find(digest: string): StormManifest | undefined {
    return this.manifests.find(({ content }) => content.digest === digest);
  }

  /** Undefined while a change is under way, whose outcome is not known. */
  get version(): Version | undefined {
    return this.#version % 2 === 0 ? this.#version : undefined;
  }

  note(line: string): void {
    this.#history.push(`${new Date().toISOString()} ${line}`);
    if (this.#history.length > KEPT_LINES) this.#history.shift();
  }

  /** Makes a change of which readers do not know whether it happened, until it resolves. */
  async change<T>(what: string, make: () => Promise<T>): Promise<T> {
    this.#version += 1;
    this.note(`${what} …`);
    try {
      return await make();
    } finally {
      this.#settle();
      this.#version += 1;
    }
  }

  /** It was acknowledged; an index that is there has its children, and theirs. */
  put(manifest: StormManifest, tag?: string): void {
    this.#presence.set(manifest, 'present');
    for (const child of manifest.children) this.put(child);
    if (tag !== undefined) this.#tags.set(tag, manifest);
  }

  remove(manifest: StormManifest): void {
    this.#presence.set(manifest, 'absent');
    for (const [tag, tagged] of this.#tags) if (tagged === manifest) this.#tags.delete(tag);
  }

  removeTag(tag: string): void {
    this.#tags.delete(tag);
  }

  /** Everything is gone, as with its repository. Returns what brings it back. */
  clear(): () => void {
    const tags = [...this.#tags];
    const presence = [...this.#presence];
    this.#tags.clear();
    this.#presence.clear();
    return () => {
      for (const [manifest, state] of presence) this.#presence.set(manifest, state);
      for (const [tag, manifest] of tags) this.#tags.set(tag, manifest);
    };
  }

  /** Manifests of which a tag, an index or a signature may still hold those that may have been collected. */
  possible(): Set<StormManifest> {
    const isThere = (manifest: StormManifest) => this.presenceOf(manifest) !== 'absent';
    return liveOf({ manifests: this.manifests, tags: this.#tags, isThere });
  }

  /** Blobs that the repository must hold for what is live. */
  blobs(): Set<Content> {
    return new Set([...this.#live].flatMap(({ blobs }) => blobs));
  }

  /** What lost its last claim may go at any moment from now on. */
  #settle(): void {
    const isThere = (manifest: StormManifest) => this.presenceOf(manifest) === 'present';
    this.#live = liveOf({ manifests: this.manifests, tags: this.#tags, isThere });
    for (const [manifest, state] of this.#presence) {
      if (state === 'present' && !this.#live.has(manifest)) this.#presence.set(manifest, 'maybe');
    }
  }
}
