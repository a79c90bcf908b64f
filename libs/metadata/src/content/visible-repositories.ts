/**
 * Condition on `repository r`: the account $1 (null: anonymous) may pull it. The rule itself is `decide` in the access
 * room; this is its image in SQL for listings and for mounts without a source, and a spec compares the two.
 */
export const VISIBLE_REPOSITORY = `r.deleted_at IS NULL AND (
  r.visibility = 'public'
  OR r.namespace_id = $1
  OR EXISTS (SELECT FROM account a WHERE a.id = $1 AND a.is_admin)
  OR EXISTS (
    SELECT FROM organisation_member m
    WHERE m.account_id = $1 AND m.namespace_id = r.namespace_id AND m.role = 'owner')
  OR EXISTS (
    SELECT FROM access_grant g
    WHERE (g.repository_id = r.id OR g.namespace_id = r.namespace_id)
      AND (g.account_id = $1 OR g.team_id IN (SELECT t.team_id FROM team_member t WHERE t.account_id = $1))))
  AND NOT EXISTS (SELECT FROM account d WHERE d.id = $1 AND d.is_disabled)`;
