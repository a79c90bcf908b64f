import type { DirectoryPage } from '@entrepot/access';

const PAGE_SIZE = 500;

/** Reads every page of a listing; `keyOf` gives the key that the next page starts after. */
export async function listAll<T>(
  readPage: (page: DirectoryPage) => Promise<readonly T[]>,
  keyOf: (entry: T) => string,
): Promise<T[]> {
  const entries: T[] = [];
  for (;;) {
    const previous = entries.at(-1);
    const page = await readPage({ limit: PAGE_SIZE, ...(previous !== undefined && { last: keyOf(previous) }) });
    entries.push(...page);
    if (page.length < PAGE_SIZE) return entries;
  }
}
