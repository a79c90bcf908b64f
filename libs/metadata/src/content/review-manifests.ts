import type { ReviewTerms } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';
import { judgeManifests, type ManifestVerdict } from './manifest-liveness.js';
import { removeManifests, type RemovedManifest } from './remove-manifests.js';
import { POSTPONED, type ReviewKind } from './review-batches.js';

/** Reviews of manifests, by row id. */
export function manifestReviews(terms: ReviewTerms): ReviewKind<string> {
  return {
    name: 'Manifests',
    take: takeManifests,
    decide: (tx, ids) => decideManifests(tx, terms, ids),
    postpone: postponeManifest,
    describe: (id) => `manifest ${id}`,
  };
}

/** Both rows of each are locked: whoever makes a reference to the manifest waits, or has it locked and is passed over. */
export async function takeManifests(tx: Queryable, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ manifest_id: string }>({
    name: 'take-manifest-reviews',
    text: `
      SELECT t.manifest_id FROM manifest_review t JOIN manifest m ON m.id = t.manifest_id
      WHERE t.due_at <= now() ORDER BY t.due_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
    values: [limit],
  });
  return rows.map((row) => row.manifest_id);
}

export async function decideManifests(tx: Queryable, terms: ReviewTerms, ids: readonly string[]): Promise<number> {
  const verdicts = await judgeManifests(tx, ids, terms);
  const idsOf = (state: ManifestVerdict['state']) => verdicts.filter((one) => one.state === state).map(({ id }) => id);
  await dropReviews(tx, idsOf('live'));
  await holdReviews(
    tx,
    verdicts.filter(({ state }) => state === 'held'),
  );
  await oweSubjects(
    tx,
    verdicts.flatMap(({ subject_id: subjectId }) => subjectId ?? []),
  );
  const gone = idsOf('gone');
  if (gone.length > 0) await collectManifests(tx, gone, terms.graceMs);
  return gone.length;
}

/** Of those that nobody deleted it is still counted what they are worth to their repository. */
async function collectManifests(tx: Queryable, ids: readonly string[], graceMs: number): Promise<void> {
  await tx.query({
    name: 'uncount-manifests',
    text: `
      INSERT INTO usage_delta (repository_id, manifests, size_bytes)
      SELECT m.repository_id, -count(*), -sum(octet_length(m.payload)
        + coalesce((SELECT sum(b.size_bytes) FROM manifest_blob b WHERE b.manifest_id = m.id), 0)
        + coalesce((SELECT sum(s.size_bytes) FROM sparse_reference s WHERE s.manifest_id = m.id AND s.kind = 'blob'), 0))
      FROM manifest m WHERE m.id = ANY ($1::bigint[]) AND m.deleted_at IS NULL GROUP BY m.repository_id`,
    values: [ids],
  });
  await auditRemovals(tx, await removeManifests(tx, { ids, graceMs }));
}

async function auditRemovals(tx: Queryable, removed: readonly RemovedManifest[]): Promise<void> {
  await tx.query({
    name: 'audit-removed-manifests',
    text: `
      INSERT INTO audit_event (actor_name, action, target, detail)
      SELECT 'gc', 'manifest.removed', r.name, jsonb_build_object('digests', jsonb_agg(g.digest ORDER BY g.digest))
      FROM unnest($1::uuid[], $2::text[]) AS g (repository_id, digest) JOIN repository r ON r.id = g.repository_id
      GROUP BY r.name`,
    values: [removed.map((one) => one.repository_id), removed.map(({ digest }) => digest)],
  });
}

async function dropReviews(tx: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'drop-manifest-reviews',
    text: 'DELETE FROM manifest_review WHERE manifest_id = ANY ($1::bigint[])',
    values: [ids],
  });
}

/** What is held long is looked at now and then all the same: what holds it may end without telling, as a namespace that changes. */
async function holdReviews(tx: Queryable, verdicts: readonly ManifestVerdict[]): Promise<void> {
  if (verdicts.length === 0) return;
  await tx.query({
    name: 'hold-manifest-reviews',
    text: `
      UPDATE manifest_review t
      SET hold = v.hold, attempts = 0, due_at = least(v.until, now() + interval '30 days')
      FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS v (manifest_id, hold, until)
      WHERE t.manifest_id = v.manifest_id`,
    values: [
      verdicts.map(({ id }) => id),
      verdicts.map(({ hold }) => hold),
      verdicts.map(({ until }) => (until instanceof Date ? until : 'infinity')),
    ],
  });
}

/** A subject may have lived by a referrer that lost its own claim. One that has a task keeps it. */
async function oweSubjects(tx: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'owe-subject-reviews',
    text: `
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'referrer lost its claim', now() FROM manifest m
      WHERE m.id = ANY ($1::bigint[]) AND NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = m.id)
      ORDER BY m.id FOR KEY SHARE
      ON CONFLICT (manifest_id) DO UPDATE SET due_at = manifest_review.due_at`,
    values: [ids],
  });
}

async function postponeManifest(tx: Queryable, id: string, metLock: boolean): Promise<void> {
  await tx.query({
    name: 'postpone-manifest-review',
    text: `UPDATE manifest_review SET ${POSTPONED} WHERE manifest_id = $2`,
    values: [metLock, id],
  });
}
