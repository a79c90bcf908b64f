/** What the log and the store say, until rows are made of it; gone with the transaction. */
export const STAGING_TABLES = `
  CREATE TEMP TABLE staged_namespace (
    id uuid PRIMARY KEY, name text NOT NULL, owned_by text NOT NULL, default_visibility text NOT NULL, untagged text,
    place bigint GENERATED ALWAYS AS IDENTITY
  ) ON COMMIT DROP;
  CREATE TEMP TABLE staged_repository (
    id uuid PRIMARY KEY, namespace_id uuid NOT NULL, name text NOT NULL, visibility text NOT NULL,
    created_at timestamptz NOT NULL, created_by uuid, deleted_at timestamptz, deleted_by text, deleted_name text
  ) ON COMMIT DROP;
  CREATE TEMP TABLE staged_manifest (
    repository_id uuid NOT NULL, digest bytea NOT NULL, media_type text NOT NULL, payload bytea NOT NULL,
    pushed_at timestamptz NOT NULL, pushed_by uuid, deleted_at timestamptz, deleted_by text, awaited bytea[] NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY UNIQUE, PRIMARY KEY (repository_id, digest)
  ) ON COMMIT DROP;
  ALTER TABLE staged_manifest ALTER COLUMN payload SET STORAGE EXTERNAL;
  CREATE TEMP TABLE staged_tag (
    repository_id uuid NOT NULL, name text COLLATE "C" NOT NULL, digest bytea NOT NULL, updated_at timestamptz NOT NULL,
    updated_by uuid, PRIMARY KEY (repository_id, name)
  ) ON COMMIT DROP;
  CREATE TEMP TABLE staged_object (
    object_key text COLLATE "C" PRIMARY KEY, digest bytea NOT NULL, size_bytes bigint NOT NULL, is_whole boolean NOT NULL,
    created_at timestamptz NOT NULL, place bigint GENERATED ALWAYS AS IDENTITY
  ) ON COMMIT DROP;
  CREATE TEMP TABLE staged_reference (
    manifest_id bigint NOT NULL, repository_id uuid NOT NULL, digest bytea NOT NULL, size_bytes bigint NOT NULL,
    kind text NOT NULL, is_awaited boolean NOT NULL, PRIMARY KEY (manifest_id, digest)
  ) ON COMMIT DROP`;

/** While everything is made, nothing is marked: the next writer of the log begins with a snapshot. */
const MARKED_TABLES = ['namespace', 'repository', 'manifest', 'tag', 'sparse_reference'] as const;

export function marking(mode: 'ENABLE' | 'DISABLE'): string {
  const triggers = MARKED_TABLES.flatMap((table) =>
    (table === 'sparse_reference' ? ['delete'] : ['insert', 'update', 'delete']).map(
      (event) => `ALTER TABLE ${table} ${mode} TRIGGER recovery_${event}`,
    ),
  );
  return triggers.join('; ');
}

/**
 * Where the document is damaged that says how a namespace or a repository went, one of the same name may be there that came
 * later: that one has the name, and what belongs to the former is not anybody else's. Answers with repositories that are lost.
 */
export const DROP_FORMER_NAMESAKES = [
  `DELETE FROM staged_namespace s WHERE EXISTS (
     SELECT FROM staged_namespace later WHERE later.name = s.name AND later.place > s.place)`,
  `WITH ranked AS (
     SELECT r.id, s.id IS NOT NULL AS is_owned,
       row_number() OVER (PARTITION BY r.name ORDER BY s.id IS NULL, r.created_at DESC, r.id DESC) AS place
     FROM staged_repository r LEFT JOIN staged_namespace s ON s.id = r.namespace_id)
   DELETE FROM staged_repository r USING ranked k
   WHERE k.id = r.id AND (k.place > 1 OR NOT k.is_owned)
   RETURNING coalesce(r.deleted_name, r.name) AS repository, r.id,
     CASE WHEN k.place > 1 THEN 'replaced' ELSE 'no namespace' END AS reason`,
] as const;

/** Namespaces that are there already keep their ids: what the log says of them is told by name. */
export const MAKE_REPOSITORIES = [
  `INSERT INTO namespace (id, name, kind, default_visibility, untagged)
   SELECT id, name, owned_by, default_visibility, untagged FROM staged_namespace
   ON CONFLICT (name) DO UPDATE SET default_visibility = excluded.default_visibility, untagged = excluded.untagged
   WHERE namespace.kind = excluded.kind`,
  `INSERT INTO account (id, is_admin, is_disabled)
   SELECT n.id, n.name = 'admin' AND NOT EXISTS (SELECT FROM account WHERE is_admin), true
   FROM staged_namespace s JOIN namespace n USING (name)
   WHERE n.kind = 'user' AND NOT EXISTS (SELECT FROM account a WHERE a.id = n.id)`,
  `INSERT INTO repository (id, namespace_id, name, visibility, created_at, created_by, deleted_at, deleted_by, deleted_name)
   SELECT r.id, n.id, r.name, r.visibility, r.created_at, a.id, r.deleted_at, r.deleted_by, r.deleted_name
   FROM staged_repository r JOIN staged_namespace s ON s.id = r.namespace_id JOIN namespace n ON n.name = s.name
   LEFT JOIN staged_namespace c ON c.id = r.created_by LEFT JOIN namespace cn ON cn.name = c.name
   LEFT JOIN account a ON a.id = cn.id`,
  'ANALYZE staged_manifest, repository',
];

/**
 * The latest whole object of a digest is the blob's: one that was healed may still have the former beside it. One that is not
 * whole is, only where there is no other.
 */
export const MAKE_BLOBS = [
  `INSERT INTO blob (digest, size_bytes, object_key, fault, fault_at)
   SELECT DISTINCT ON (digest) digest, size_bytes, object_key,
     CASE WHEN NOT is_whole THEN 'short' END, CASE WHEN NOT is_whole THEN now() END
   FROM staged_object ORDER BY digest, is_whole DESC, created_at DESC, place`,
  `INSERT INTO doomed_object (object_key, reason, due_at, size_bytes)
   SELECT o.object_key, 'blob was there already', now() + $1 * interval '1 millisecond', CASE WHEN o.is_whole THEN o.size_bytes END
   FROM staged_object o WHERE NOT EXISTS (SELECT FROM blob b WHERE b.object_key = o.object_key)`,
];

/**
 * An entry of an index may be a blob: it is one where no manifest is there and a blob is. What a sparse manifest still waits
 * for is not linked, whoever else has it.
 */
export const RESOLVE_REFERENCES = [
  'ANALYZE staged_reference, manifest, blob',
  `INSERT INTO manifest_child (parent_id, child_id)
   SELECT r.manifest_id, c.id FROM staged_reference r JOIN manifest c USING (repository_id, digest)
   WHERE r.kind = 'manifest' AND NOT r.is_awaited`,
  `UPDATE staged_reference r SET kind = 'blob'
   WHERE kind = 'manifest' AND NOT is_awaited
     AND NOT EXISTS (SELECT FROM manifest c WHERE c.repository_id = r.repository_id AND c.digest = r.digest)
     AND EXISTS (SELECT FROM blob b WHERE b.digest = r.digest)`,
];

export const LACKING_BLOBS = `
  SELECT digest, max(size_bytes) AS size_bytes FROM staged_reference r
  WHERE kind = 'blob' AND NOT is_awaited AND NOT EXISTS (SELECT FROM blob b WHERE b.digest = r.digest)
  GROUP BY digest ORDER BY digest LIMIT 1000`;

export const LINK_BLOBS = [
  `INSERT INTO repository_blob (repository_id, digest)
   SELECT DISTINCT repository_id, digest FROM staged_reference WHERE kind = 'blob' AND NOT is_awaited`,
  `INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
   SELECT manifest_id, repository_id, digest, size_bytes FROM staged_reference WHERE kind = 'blob' AND NOT is_awaited`,
  `INSERT INTO sparse_reference (repository_id, digest, manifest_id, kind, size_bytes)
   SELECT repository_id, digest, manifest_id, kind, size_bytes FROM staged_reference r
   WHERE is_awaited OR (kind = 'manifest' AND NOT EXISTS (
     SELECT FROM manifest c WHERE c.repository_id = r.repository_id AND c.digest = r.digest))`,
];

export const MISSING_CONTENT = `
  SELECT coalesce(p.deleted_name, p.name) AS repository, m.digest AS manifest, r.digest, r.kind,
    coalesce(b.fault, 'missing') AS fault
  FROM staged_reference r
  LEFT JOIN blob b ON r.kind = 'blob' AND b.digest = r.digest
  LEFT JOIN manifest c ON r.kind = 'manifest' AND c.repository_id = r.repository_id AND c.digest = r.digest
  JOIN manifest m ON m.id = r.manifest_id JOIN repository p ON p.id = r.repository_id
  WHERE NOT r.is_awaited AND CASE r.kind WHEN 'blob' THEN b.fault IS NOT NULL ELSE c.id IS NULL END
  ORDER BY p.name, m.digest, r.digest LIMIT $1`;

/** A deleted manifest has no tag. */
export const MAKE_TAGS = `
  INSERT INTO tag (repository_id, name, manifest_id, updated_at, updated_by)
  SELECT t.repository_id, t.name, m.id, t.updated_at, a.id
  FROM staged_tag t JOIN manifest m ON m.repository_id = t.repository_id AND m.digest = t.digest
  LEFT JOIN staged_namespace c ON c.id = t.updated_by LEFT JOIN namespace cn ON cn.name = c.name
  LEFT JOIN account a ON a.id = cn.id
  WHERE m.deleted_at IS NULL`;

export const LOST_TAGS = `
  SELECT p.name AS repository, t.name AS tag, t.digest FROM staged_tag t JOIN repository p ON p.id = t.repository_id
  WHERE NOT EXISTS (SELECT FROM tag g WHERE g.repository_id = t.repository_id AND g.name = t.name)
  ORDER BY p.name, t.name LIMIT $1`;

/**
 * What nothing refers to is looked at when the grace time is over. When manifests were pulled last is not known any more:
 * all of them were now, so that those without a tag have their time again.
 */
export const SCHEDULE_REVIEWS = [
  `INSERT INTO manifest_review (manifest_id, reason, due_at)
   SELECT id, 'rebuilt', now() + $1 * interval '1 millisecond' FROM manifest m
   WHERE NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = m.id)`,
  `INSERT INTO blob_review (digest, reason, due_at)
   SELECT digest, 'rebuilt', now() + $1 * interval '1 millisecond' FROM blob b
   WHERE NOT EXISTS (SELECT FROM repository_blob l WHERE l.digest = b.digest)`,
];

export const NOTE_USE = [
  `INSERT INTO manifest_use (manifest_id, used_at)
   SELECT id, now() FROM manifest m WHERE NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = m.id)`,
  `INSERT INTO usage_delta (repository_id, manifests, size_bytes)
   SELECT repository_id, count(*), sum(octet_length(payload) + coalesce(named.size_bytes, 0))
   FROM manifest m
   LEFT JOIN (
     SELECT manifest_id, sum(size_bytes) AS size_bytes FROM (
       SELECT manifest_id, size_bytes FROM manifest_blob
       UNION ALL SELECT manifest_id, size_bytes FROM sparse_reference WHERE kind = 'blob') AS each
     GROUP BY manifest_id) AS named ON named.manifest_id = m.id
   WHERE m.deleted_at IS NULL GROUP BY repository_id`,
];

export const COUNTS = `
  SELECT (SELECT count(*) FROM staged_namespace) AS namespaces,
    (SELECT count(*) FROM staged_namespace WHERE owned_by = 'user') AS users,
    (SELECT count(*) FROM repository WHERE deleted_at IS NULL) AS repositories,
    (SELECT count(*) FROM repository WHERE deleted_at IS NOT NULL) AS deleted_repositories,
    (SELECT count(*) FROM manifest) AS manifests,
    (SELECT count(*) FROM tag) AS tags, (SELECT count(*) FROM blob) AS blobs,
    (SELECT count(*) FROM repository_blob) AS links,
    (SELECT count(*) FROM staged_object) - (SELECT count(*) FROM blob JOIN staged_object USING (object_key)) AS spare_objects`;
