import type { RecoveryKind, RecoveryLimits, StatePage } from '@entrepot/content';
import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';
import {
  AWAITED,
  MANIFEST_STATE,
  NAMESPACE_STATE,
  REPOSITORY_STATE,
  TAG_STATE,
  toStateRecord,
  type StateRow,
} from './recovery-rows.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';

type PagedRow = StateRow & { readonly place: string };

/** A page of one table in the order of its primary key; `after` and `next` are that key as text. */
export async function readStatePage(
  pool: pg.Pool,
  kind: RecoveryKind,
  page: { readonly after: string | undefined; readonly limits: RecoveryLimits },
): Promise<StatePage> {
  const rows = await repeatRows<PagedRow>(pool, { name: `recovery-page-${kind}`, ...QUERIES[kind](page) });
  const next = rows.at(-1)?.place;
  return { records: rows.map(toStateRecord), ...(next !== undefined && { next }) };
}

interface PageTerms {
  readonly after: string | undefined;
  readonly limits: RecoveryLimits;
}

const NO_BYTES = 'NULL::bytea AS digest, NULL::bytea AS payload, NULL::bytea[] AS awaited';

const QUERIES: Readonly<Record<RecoveryKind, (page: PageTerms) => { text: string; values: unknown[] }>> = {
  namespace: ({ after = NO_ID, limits }) => ({
    text: `
      SELECT 'namespace' AS kind, ${NAMESPACE_STATE} AS state, ${NO_BYTES}, n.id::text AS place
      FROM namespace n WHERE n.id > $1 ORDER BY n.id LIMIT $2`,
    values: [after, limits.records],
  }),
  repository: ({ after = NO_ID, limits }) => ({
    text: `
      SELECT 'repository' AS kind, ${REPOSITORY_STATE} AS state, ${NO_BYTES}, r.id::text AS place
      FROM repository r WHERE r.id > $1 AND r.removal_began_at IS NULL ORDER BY r.id LIMIT $2`,
    values: [after, limits.records],
  }),
  manifest: ({ after = '0', limits }) => ({
    text: `
      WITH next AS (SELECT id, octet_length(payload) AS size_bytes FROM manifest WHERE id > $1 ORDER BY id LIMIT $2),
      sized AS (SELECT id, sum(size_bytes) OVER (ORDER BY id) - size_bytes AS bytes_before FROM next)
      SELECT 'manifest' AS kind, ${MANIFEST_STATE} AS state, m.digest, m.payload, ${AWAITED} AS awaited, m.id AS place
      FROM sized JOIN manifest m USING (id) WHERE bytes_before < $3 ORDER BY m.id`,
    values: [after, limits.records, limits.payloadBytes],
  }),
  tag: ({ after = NO_ID, limits }) => ({
    text: `
      SELECT 'tag' AS kind, ${TAG_STATE} AS state, p.digest, NULL::bytea AS payload, NULL::bytea[] AS awaited,
        t.repository_id || '/' || t.name AS place
      FROM tag t JOIN manifest p ON p.id = t.manifest_id
      WHERE (t.repository_id, t.name) > ($1::uuid, $2::text) ORDER BY t.repository_id, t.name LIMIT $3`,
    values: [after.slice(0, NO_ID.length), after.slice(NO_ID.length + 1), limits.records],
  }),
};
