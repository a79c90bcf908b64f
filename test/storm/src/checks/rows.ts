import type { Pool } from 'pg';
import { Violation } from '../model/violation.js';
import type { Group } from '../model/group.js';

interface HeldRow {
  readonly repository: string;
  readonly digest: string;
}

const MANIFESTS = `
  SELECT r.name AS repository, 'sha256:' || encode(substr(m.digest, 2), 'hex') AS digest
  FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE r.name LIKE 'admin/%'`;
const LINKS = `
  SELECT r.name AS repository, 'sha256:' || encode(substr(l.digest, 2), 'hex') AS digest
  FROM repository_blob l JOIN repository r ON r.id = l.repository_id WHERE r.name LIKE 'admin/%'`;
/** Others may have linked blobs to repositories of theirs. */
const BLOBS = `
  SELECT '' AS repository, 'sha256:' || encode(substr(b.digest, 2), 'hex') AS digest FROM blob b
  WHERE NOT EXISTS (
    SELECT FROM repository_blob l JOIN repository r ON r.id = l.repository_id
    WHERE l.digest = b.digest AND r.name NOT LIKE 'admin/%')`;

/** After the last collection: everything that is live is there (INV-5), and nothing else is (INV-6). */
export async function checkRows(database: Pool, groups: readonly Group[]): Promise<string> {
  const manifests = await held(database, MANIFESTS);
  const live = groups.flatMap((group) => [...group.live].map(({ content }) => `${group.repository} ${content.digest}`));
  const possible = groups.flatMap((group) =>
    [...group.possible()].map(({ content }) => `${group.repository} ${content.digest}`),
  );
  expectBetween('manifest', manifests, { needed: live, possible });
  const isHeld = ({ repository }: Group, digest: string) => manifests.has(`${repository} ${digest}`);
  const links = new Set(
    groups.flatMap((group) =>
      group.manifests
        .filter(({ content }) => isHeld(group, content.digest))
        .flatMap(({ blobs }) => blobs.map(({ digest }) => `${group.repository} ${digest}`)),
    ),
  );
  expectBetween('link', await held(database, LINKS), { needed: links, possible: links });
  const blobs = new Set([...links].map((link) => ` ${link.split(' ')[1]}`));
  expectBetween('blob', await held(database, BLOBS), { needed: blobs, possible: blobs });
  return `${manifests.size} manifests, ${links.size} links and ${blobs.size} blobs are left, as they must`;
}

async function held(database: Pool, text: string): Promise<Set<string>> {
  const { rows } = await database.query<HeldRow>(text);
  return new Set(rows.map(({ repository, digest }) => `${repository} ${digest}`));
}

function expectBetween(
  what: string,
  found: ReadonlySet<string>,
  { needed, possible }: { readonly needed: Iterable<string>; readonly possible: Iterable<string> },
): void {
  const allowed = new Set(possible);
  const lost = [...needed].filter((one) => !found.has(one));
  const left = [...found].filter((one) => !allowed.has(one));
  if (lost.length > 0) throw new Violation('INV-5', `${lost.length} of what is live has no ${what} row: ${some(lost)}`);
  if (left.length > 0)
    throw new Violation('INV-6', `${left.length} ${what} rows are left that nothing needs: ${some(left)}`);
}

function some(names: readonly string[]): string {
  return names.slice(0, 5).join(', ');
}
