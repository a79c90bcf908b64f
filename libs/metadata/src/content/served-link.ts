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

/**
 * Condition on `repository_blob l`: clients may rely on the blob still. A link whose deletion was asked for lasts with the manifests
 * that need it; who saw the blob while one did may push another manifest with it after that has gone.
 */
export const PROMISED_LINK = `
  EXISTS (SELECT FROM link_review t WHERE t.repository_id = l.repository_id AND t.digest = l.digest AND t.due_at > now())`;
