import type { ReviewTerms } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';
import { judgeManifests, type ManifestVerdict } from './manifest-liveness.js';

const PAGE = 500;

/** Row ids of manifests that would go, by this moment's review and by later ones. */
export interface GoingManifests {
  readonly now: ReadonlySet<string>;
  readonly later: ReadonlySet<string>;
}

/**
 * Follows what reviews of manifests would remove: those that are owed one, and what would be owed one by that. Deleted repositories
 * are left out, as they go as a whole.
 */
export async function previewManifests(tx: Queryable, terms: ReviewTerms): Promise<GoingManifests> {
  const now = new Set<string>();
  const later = new Set<string>();
  const goesNow = (id: string) => now.add(id) && later.delete(id);
  for (
    let after = '0', page = await owedAfter(tx, after, terms);
    page.length > 0;
    page = await owedAfter(tx, after, terms)
  ) {
    after = page.at(-1)?.id ?? after;
    const due = new Set(page.filter(({ is_due: isDue }) => isDue).map(({ id }) => id));
    const ids = page.map(({ id }) => id);
    for (const verdict of await judgeManifests(tx, ids, terms)) {
      if (verdict.state === 'gone' && due.has(verdict.id)) goesNow(verdict.id);
      else if (endsSometime(verdict)) later.add(verdict.id);
    }
  }
  // At grace 0 one review follows the whole chain; else what was named has its own time first.
  if (terms.graceMs === 0) {
    await spread(tx, terms, { from: now, into: goesNow, isGone: (id) => now.has(id), goes: isGoneAlready });
  }
  await spread(tx, terms, {
    from: new Set([...now, ...later]),
    into: (id) => later.add(id),
    isGone: (id) => now.has(id) || later.has(id),
    goes: endsSometime,
  });
  return { now, later };
}

interface OwedManifest {
  readonly id: string;
  readonly is_due: boolean;
}

async function owedAfter(tx: Queryable, after: string, { undoMs }: ReviewTerms): Promise<OwedManifest[]> {
  const { rows } = await tx.query<OwedManifest>({
    name: 'preview-owed-manifests',
    text: `
      SELECT id, bool_or(is_due) AS is_due FROM (
        (SELECT manifest_id AS id, due_at <= now() AS is_due FROM manifest_review WHERE manifest_id > $1
          ORDER BY manifest_id LIMIT $2)
        UNION ALL
        (SELECT id, deleted_at <= now() - $3 * interval '1 millisecond' FROM manifest
          WHERE deleted_at IS NOT NULL AND id > $1 ORDER BY id LIMIT $2)) AS owed
      GROUP BY id ORDER BY id LIMIT $2`,
    values: [after, PAGE, undoMs],
  });
  return rows;
}

function isGoneAlready({ state }: ManifestVerdict): boolean {
  return state === 'gone';
}

function endsSometime({ state, hold, until }: ManifestVerdict): boolean {
  return state === 'gone' || (state === 'held' && hold !== 'repository' && until instanceof Date);
}

interface Spreading {
  readonly from: ReadonlySet<string>;
  into(id: string): unknown;
  isGone(id: string): boolean;
  goes(verdict: ManifestVerdict): boolean;
}

/** Adds entries, referrers and subjects of what goes that would go then too, and what would go by them. */
async function spread(tx: Queryable, terms: ReviewTerms, { from, into, isGone, goes }: Spreading): Promise<void> {
  const gone = new Set(from);
  for (let fresh = [...from]; fresh.length > 0;) {
    const kin = (await kinOf(tx, fresh)).filter((id) => !isGone(id));
    fresh = [];
    for (let start = 0; start < kin.length; start += PAGE) {
      for (const verdict of await judgeManifests(tx, kin.slice(start, start + PAGE), terms, [...gone])) {
        if (goes(verdict)) fresh.push(verdict.id);
      }
    }
    for (const id of fresh) {
      gone.add(id);
      into(id);
    }
  }
}

async function kinOf(tx: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'preview-kin',
    text: `
      SELECT c.child_id AS id FROM manifest_child c WHERE c.parent_id = ANY ($1::bigint[])
      UNION
      SELECT m.id FROM sparse_reference s JOIN manifest m ON m.repository_id = s.repository_id AND m.digest = s.digest
      WHERE s.manifest_id = ANY ($1) AND s.kind = 'manifest'
      UNION
      SELECT r.id FROM manifest m JOIN manifest r ON r.repository_id = m.repository_id AND r.subject_digest = m.digest
      WHERE m.id = ANY ($1)
      UNION
      SELECT s.id FROM manifest m JOIN manifest s ON s.repository_id = m.repository_id AND s.digest = m.subject_digest
      WHERE m.id = ANY ($1)`,
    values: [ids],
  });
  return rows.map((row) => row.id);
}
