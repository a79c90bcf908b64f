import type { NamePage } from '@entrepot/content';
import type { RepositoryName } from '@entrepot/oci';
import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';

/*
 * The same repositories as VISIBLE_REPOSITORY, found from the viewer's side: each reason to see repositories is a walk
 * along an index that ends with the page, so that the cost follows the page and the viewer's grants, and not the number
 * of repositories. Names within a namespace begin with its name, so that namespaces in their order give names in theirs;
 * '0' is the byte after '/'.
 */
const CATALOG = `
  WITH held AS (
    SELECT repository_id, namespace_id FROM access_grant WHERE account_id = $1
    UNION ALL
    SELECT g.repository_id, g.namespace_id FROM team_member t JOIN access_grant g USING (team_id) WHERE t.account_id = $1),
  open_namespace AS (
    SELECT id, name || '/' AS prefix FROM namespace
    WHERE name || '0' > $2 AND id IN (
      SELECT $1::uuid
      UNION SELECT namespace_id FROM organisation_member WHERE account_id = $1 AND role = 'owner'
      UNION SELECT namespace_id FROM held WHERE namespace_id IS NOT NULL))
  SELECT name FROM (
    (SELECT name FROM repository WHERE visibility = 'public' AND deleted_at IS NULL AND name > $2 ORDER BY name LIMIT $3)
    UNION
    (SELECT name FROM repository
     WHERE (SELECT is_admin FROM account WHERE id = $1) AND deleted_at IS NULL AND name > $2 ORDER BY name LIMIT $3)
    UNION
    (SELECT r.name FROM open_namespace n CROSS JOIN LATERAL (
       SELECT name FROM repository WHERE namespace_id = n.id AND deleted_at IS NULL AND name > $2 ORDER BY name LIMIT $3) AS r
     ORDER BY n.prefix, r.name LIMIT $3)
    UNION
    (SELECT r.name FROM held JOIN repository r ON r.id = held.repository_id
     WHERE r.deleted_at IS NULL AND r.name > $2 ORDER BY r.name LIMIT $3)
  ) AS visible
  WHERE NOT EXISTS (SELECT FROM account WHERE id = $1 AND is_disabled)
  ORDER BY name LIMIT $3`;

/** Names of the repositories that the account (undefined: anonymous) may pull. */
export async function listCatalog(
  pool: pg.Pool,
  accountId: string | undefined,
  { last = '', limit }: NamePage,
): Promise<RepositoryName[]> {
  const values = [accountId ?? null, last, limit];
  const rows = await repeatRows<{ name: RepositoryName }>(pool, { name: 'catalog', text: CATALOG, values });
  return rows.map((row) => row.name);
}
