import { existsSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** ext4 allows 65,000 links of one file. */
const LINKS_PER_FILE = 60_000;

/** What a tree of tags is made of. */
export interface TagTree {
  readonly treeDirectory: string;
  readonly digest: string;
  readonly tags: readonly string[];
}

/**
 * Lays out `<tag>/current/link` for each tag, as distribution 2.8 and 3 keep them on a file system, once for both:
 * a listing of tags reads these directories only. Tens of thousands of pushes would take minutes for the same tree.
 */
export function writeTagTree({ treeDirectory, digest, tags }: TagTree): void {
  if (existsSync(treeDirectory)) return;
  const unfinished = `${treeDirectory}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  tags.forEach((tag, index) => {
    const current = join(unfinished, tag, 'current');
    mkdirSync(current, { recursive: true });
    const original = join(treeDirectory, '..', `link-${Math.floor(index / LINKS_PER_FILE)}`);
    if (index % LINKS_PER_FILE === 0) writeFileSync(original, digest);
    linkSync(original, join(current, 'link'));
  });
  renameSync(unfinished, treeDirectory);
}

/** Lets a registry's storage find the tree as the tags of one of its repositories. */
export function adoptTagTree(storage: string, repository: string, treeDirectory: string): void {
  const tags = join(storage, 'docker/registry/v2/repositories', repository, '_manifests/tags');
  mkdirSync(dirname(tags), { recursive: true });
  symlinkSync(treeDirectory, tags);
}
