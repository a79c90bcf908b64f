/**
 * Condition on `repository_blob l`: the repository serves the blob. A link whose deletion was asked for is served as long as a
 * manifest that is not deleted needs it; one that may be restored holds it all the same, unseen.
 */
export const SERVED_LINK = `(
  l.released_at IS NULL
  OR EXISTS (
    SELECT FROM manifest_blob n JOIN manifest needing ON needing.id = n.manifest_id
    WHERE n.repository_id = l.repository_id AND n.digest = l.digest AND needing.deleted_at IS NULL)
  OR EXISTS (
    SELECT FROM sparse_reference n JOIN manifest needing ON needing.id = n.manifest_id
    WHERE n.repository_id = l.repository_id AND n.digest = l.digest AND needing.deleted_at IS NULL))`;
