import type { ReviewTerms } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';

const PAGE = 1000;
const NAMESPACE = 'namespace ';

/** Settings by the hold of reviews that they rule. */
function settingsOf({ undoMs, untaggedMs, orphansMs }: ReviewTerms): Readonly<Record<string, string>> {
  return { history: `${undoMs}`, untagged: `${untaggedMs}`, orphan: `${orphansMs}` };
}

interface ChangedSetting {
  readonly name: string;
  readonly done_to: string;
}

/**
 * Notes settings and rules of namespaces that changed since the last look, and brings one page of the reviews forward that wait
 * by one of them: they are decided anew, by what is said now. Resolves with false where nothing is left to do. A review
 * that is locked is being looked at.
 */
export async function noteTerms(tx: Queryable, terms: ReviewTerms): Promise<boolean> {
  await noteChanges(tx, settingsOf(terms));
  const { rows } = await tx.query<ChangedSetting>({
    name: 'changed-setting',
    text: 'SELECT name, done_to FROM gc_setting WHERE done_to IS NOT NULL ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED',
  });
  const [changed] = rows;
  if (!changed) return false;
  const last = await bringForward(tx, changed);
  await tx.query('UPDATE gc_setting SET done_to = $2 WHERE name = $1', [changed.name, last ?? null]);
  return true;
}

/** The first look of all has nothing to compare with; a namespace without a row had the rule of all others. */
async function noteChanges(tx: Queryable, settings: Readonly<Record<string, string>>): Promise<void> {
  await tx.query({
    name: 'note-settings',
    text: `
      WITH ruled AS (
        SELECT '${NAMESPACE}' || id AS name, untagged AS value FROM namespace WHERE untagged IS NOT NULL),
      wanted AS (
        SELECT * FROM unnest($1::text[], $2::text[]) AS s (name, value)
        UNION ALL SELECT name, value FROM ruled
        UNION ALL SELECT name, 'default' FROM gc_setting
        WHERE name LIKE '${NAMESPACE}%' AND name NOT IN (SELECT name FROM ruled))
      INSERT INTO gc_setting (name, value, done_to)
      SELECT w.name, w.value, CASE WHEN w.name LIKE '${NAMESPACE}%' THEN 0 END
      FROM wanted w LEFT JOIN gc_setting s USING (name) WHERE s.value IS DISTINCT FROM w.value ORDER BY w.name
      ON CONFLICT (name) DO UPDATE SET value = excluded.value, done_to = 0`,
    values: [Object.keys(settings), Object.values(settings)],
  });
}

/** Resolves with the last manifest of the page; undefined where it was the last page. */
async function bringForward(tx: Queryable, { name, done_to: after }: ChangedSetting): Promise<string | undefined> {
  const namespaceId = name.startsWith(NAMESPACE) ? name.slice(NAMESPACE.length) : null;
  const { rows } = await tx.query<{ last: string | null; brought: number }>({
    name: 'bring-reviews-forward',
    text: `
      WITH page AS (
        SELECT t.manifest_id FROM manifest_review t
        JOIN manifest m ON m.id = t.manifest_id JOIN repository r ON r.id = m.repository_id
        WHERE t.manifest_id > $1 AND t.hold = $2 AND ($3::uuid IS NULL OR r.namespace_id = $3)
        ORDER BY t.manifest_id LIMIT $4 FOR UPDATE OF t SKIP LOCKED),
      brought AS (
        UPDATE manifest_review t SET due_at = least(t.due_at, now()) FROM page p WHERE t.manifest_id = p.manifest_id)
      SELECT max(manifest_id) AS last, count(*)::int AS brought FROM page`,
    values: [after, namespaceId === null ? name : 'untagged', namespaceId, PAGE],
  });
  return rows[0]?.brought === PAGE ? (rows[0].last ?? undefined) : undefined;
}
