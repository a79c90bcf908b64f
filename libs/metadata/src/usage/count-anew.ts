/*
 * The truth that folding is held against: the same figures from the rows of the content itself. These read whole tables.
 */

/** repository_id, namespace_id, is_live and the figures of every repository, or of those that a condition on `r` names. */
export const countRepositories = (condition = 'true'): string => `
  SELECT r.id AS repository_id, r.namespace_id, r.deleted_at IS NULL AS is_live,
    coalesce(m.manifests, 0) AS manifests, coalesce(m.logical_bytes, 0) AS logical_bytes,
    coalesce(m.payload_bytes, 0) AS payload_bytes, coalesce(l.blobs, 0) AS blobs, coalesce(l.blob_bytes, 0) AS blob_bytes
  FROM repository r
  LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.deleted_at IS NULL) AS manifests,
      sum(octet_length(m.payload) + coalesce(n.size_bytes, 0)) FILTER (WHERE m.deleted_at IS NULL) AS logical_bytes,
      sum(octet_length(m.payload)) AS payload_bytes
    FROM manifest m LEFT JOIN LATERAL (
      SELECT sum(size_bytes) AS size_bytes FROM (
        SELECT size_bytes FROM manifest_blob WHERE manifest_id = m.id
        UNION ALL SELECT size_bytes FROM sparse_reference WHERE manifest_id = m.id AND kind = 'blob') AS each) AS n ON true
    WHERE m.repository_id = r.id) AS m ON true
  LEFT JOIN LATERAL (
    SELECT count(*) AS blobs, sum(b.size_bytes) AS blob_bytes
    FROM repository_blob l JOIN blob b ON b.digest = l.digest WHERE l.repository_id = r.id) AS l ON true
  WHERE ${condition}`;

/** namespace_id and the figures of namespaces that have a repository. */
export const countNamespaces = (condition = 'true'): string => `
  SELECT namespace_id, sum(manifests * is_live::integer) AS manifests, sum(logical_bytes * is_live::integer) AS logical_bytes,
    sum(payload_bytes) AS payload_bytes, coalesce(min(d.blobs), 0) AS blobs, coalesce(min(d.blob_bytes), 0) AS blob_bytes
  FROM (${countRepositories(condition)}) AS each
  LEFT JOIN (
    SELECT namespace_id, count(*) AS blobs, sum(size_bytes) AS blob_bytes FROM (
      SELECT DISTINCT r.namespace_id, l.digest, b.size_bytes
      FROM repository_blob l JOIN repository r ON r.id = l.repository_id JOIN blob b ON b.digest = l.digest
      WHERE ${condition}) AS held
    GROUP BY namespace_id) AS d USING (namespace_id)
  GROUP BY namespace_id`;

export const COUNT_BLOBS = 'SELECT count(*) AS blobs, coalesce(sum(size_bytes), 0) AS blob_bytes FROM blob';
