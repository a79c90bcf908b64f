-- What is stored, counted. Changes are appended and folded (usage/fold-usage.ts), so that no two pushes meet at a row.

-- Appended by triggers, so that no path forgets it. links is 1 or -1; size_bytes is that of the blob, null where links is -1.
CREATE TABLE usage_link_delta (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id uuid NOT NULL,
  digest        bytea NOT NULL,
  links         integer NOT NULL,
  size_bytes    bigint
);

-- Beside what manifests are worth to their repository (size_bytes: payload and named blobs of each that is not deleted,
-- appended with the change itself): the bytes of manifests that are there, deleted ones included; appended by a trigger.
ALTER TABLE usage_delta ADD COLUMN payload_bytes bigint NOT NULL DEFAULT 0;

-- Blobs that came and went, by a trigger, and objects that garbage collection removed from the store.
CREATE TABLE usage_store_delta (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  blobs         bigint NOT NULL DEFAULT 0,
  size_bytes    bigint NOT NULL DEFAULT 0,
  freed_objects bigint NOT NULL DEFAULT 0,
  freed_bytes   bigint NOT NULL DEFAULT 0
);

-- Repositories that moved to another namespace, were deleted, restored or removed.
CREATE TABLE usage_repository_mark (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id uuid NOT NULL
);

-- What was folded. namespace_id and is_live say how the repository is counted in its namespace so far; manifests and
-- logical_bytes of a deleted one do not count there, what it holds does. No foreign keys: these rows say what was.
CREATE TABLE usage_repository (
  repository_id uuid PRIMARY KEY,
  namespace_id  uuid NOT NULL,
  is_live       boolean NOT NULL,
  manifests     bigint NOT NULL DEFAULT 0,
  logical_bytes bigint NOT NULL DEFAULT 0,
  payload_bytes bigint NOT NULL DEFAULT 0,
  blobs         bigint NOT NULL DEFAULT 0,
  blob_bytes    bigint NOT NULL DEFAULT 0
);

CREATE TABLE usage_namespace (
  namespace_id  uuid PRIMARY KEY,
  manifests     bigint NOT NULL DEFAULT 0,
  logical_bytes bigint NOT NULL DEFAULT 0,
  payload_bytes bigint NOT NULL DEFAULT 0,
  blobs         bigint NOT NULL DEFAULT 0,
  blob_bytes    bigint NOT NULL DEFAULT 0
);

-- How many repositories of a namespace hold a blob: it counts once there, while there is one.
CREATE TABLE usage_namespace_blob (
  namespace_id uuid NOT NULL,
  digest       bytea NOT NULL,
  links        bigint NOT NULL,
  size_bytes   bigint NOT NULL,
  CONSTRAINT usage_namespace_blob_pkey PRIMARY KEY (namespace_id, digest)
);

-- One row. Who folds locks the table, and so is alone.
CREATE TABLE usage_total (
  is_only       boolean PRIMARY KEY DEFAULT true,
  blobs         bigint NOT NULL DEFAULT 0,
  blob_bytes    bigint NOT NULL DEFAULT 0,
  freed_objects bigint NOT NULL DEFAULT 0,
  freed_bytes   bigint NOT NULL DEFAULT 0,
  CONSTRAINT usage_total_only_check CHECK (is_only)
);

-- The size is looked up row by row: a plan that a large statement made for its session must not read the table of blobs.
CREATE FUNCTION usage_links_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_link_delta (repository_id, digest, links, size_bytes)
  SELECT repository_id, digest, 1, (SELECT b.size_bytes FROM blob b WHERE b.digest = added.digest) FROM added;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_links_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_link_delta (repository_id, digest, links) SELECT repository_id, digest, -1 FROM removed;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_blobs_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_store_delta (blobs, size_bytes) SELECT count(*), sum(size_bytes) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_blobs_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_store_delta (blobs, size_bytes) SELECT -count(*), -sum(size_bytes) FROM removed HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_manifests_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_delta (repository_id, manifests, size_bytes, payload_bytes)
  SELECT repository_id, 0, 0, sum(octet_length(payload)) FROM added GROUP BY repository_id;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_manifests_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_delta (repository_id, manifests, size_bytes, payload_bytes)
  SELECT repository_id, 0, 0, -sum(octet_length(payload)) FROM removed GROUP BY repository_id;
  RETURN NULL;
END $$;

CREATE FUNCTION usage_repositories_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_repository_mark (repository_id)
  SELECT id FROM was JOIN is_now USING (id)
  WHERE was.namespace_id <> is_now.namespace_id OR (was.deleted_at IS NULL) <> (is_now.deleted_at IS NULL);
  RETURN NULL;
END $$;

CREATE FUNCTION usage_repositories_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_repository_mark (repository_id) SELECT id FROM removed;
  RETURN NULL;
END $$;

-- From here on nobody writes what is counted until the end of this migration: what is there is counted once, below, and what
-- comes later is appended.
LOCK TABLE blob, repository_blob, manifest, repository IN SHARE ROW EXCLUSIVE MODE;

CREATE TRIGGER usage_added AFTER INSERT ON repository_blob
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_links_added();
CREATE TRIGGER usage_removed AFTER DELETE ON repository_blob
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_links_removed();
CREATE TRIGGER usage_added AFTER INSERT ON blob
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_blobs_added();
CREATE TRIGGER usage_removed AFTER DELETE ON blob
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_blobs_removed();
CREATE TRIGGER usage_added AFTER INSERT ON manifest
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_manifests_added();
CREATE TRIGGER usage_removed AFTER DELETE ON manifest
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_manifests_removed();
CREATE TRIGGER usage_changed AFTER UPDATE ON repository
  REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION usage_repositories_changed();
CREATE TRIGGER usage_removed AFTER DELETE ON repository
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_repositories_removed();

-- Nothing was folded before.
DELETE FROM usage_delta;
INSERT INTO usage_total (blobs, blob_bytes) SELECT count(*), coalesce(sum(size_bytes), 0) FROM blob;
INSERT INTO usage_namespace_blob (namespace_id, digest, links, size_bytes)
SELECT r.namespace_id, l.digest, count(*), min(b.size_bytes)
FROM repository_blob l JOIN repository r ON r.id = l.repository_id JOIN blob b ON b.digest = l.digest
GROUP BY r.namespace_id, l.digest;
INSERT INTO usage_repository
  (repository_id, namespace_id, is_live, manifests, logical_bytes, payload_bytes, blobs, blob_bytes)
SELECT r.id, r.namespace_id, r.deleted_at IS NULL,
  coalesce(m.manifests, 0), coalesce(m.logical_bytes, 0), coalesce(m.payload_bytes, 0),
  coalesce(l.blobs, 0), coalesce(l.blob_bytes, 0)
FROM repository r
LEFT JOIN (
  SELECT m.repository_id, count(*) FILTER (WHERE deleted_at IS NULL) AS manifests,
    sum(octet_length(payload) + coalesce(n.size_bytes, 0)) FILTER (WHERE deleted_at IS NULL) AS logical_bytes,
    sum(octet_length(payload)) AS payload_bytes
  FROM manifest m LEFT JOIN (
    SELECT manifest_id, sum(size_bytes) AS size_bytes FROM (
      SELECT manifest_id, size_bytes FROM manifest_blob
      UNION ALL SELECT manifest_id, size_bytes FROM sparse_reference WHERE kind = 'blob') AS each
    GROUP BY manifest_id) AS n ON n.manifest_id = m.id
  GROUP BY m.repository_id) AS m ON m.repository_id = r.id
LEFT JOIN (
  SELECT l.repository_id, count(*) AS blobs, sum(b.size_bytes) AS blob_bytes
  FROM repository_blob l JOIN blob b ON b.digest = l.digest GROUP BY l.repository_id) AS l ON l.repository_id = r.id
WHERE m.repository_id IS NOT NULL OR l.repository_id IS NOT NULL;
INSERT INTO usage_namespace (namespace_id, manifests, logical_bytes, payload_bytes, blobs, blob_bytes)
SELECT u.namespace_id,
  coalesce(sum(u.manifests) FILTER (WHERE u.is_live), 0), coalesce(sum(u.logical_bytes) FILTER (WHERE u.is_live), 0),
  sum(u.payload_bytes), coalesce(min(b.blobs), 0), coalesce(min(b.blob_bytes), 0)
FROM usage_repository u LEFT JOIN (
  SELECT namespace_id, count(*) AS blobs, sum(size_bytes) AS blob_bytes FROM usage_namespace_blob GROUP BY namespace_id) AS b
  USING (namespace_id)
GROUP BY u.namespace_id;

GRANT INSERT ON usage_link_delta, usage_store_delta, usage_repository_mark TO entrepot_registry;
GRANT SELECT, INSERT, DELETE ON usage_link_delta, usage_store_delta, usage_repository_mark TO entrepot_jobrunner;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_repository, usage_namespace, usage_namespace_blob, usage_total
  TO entrepot_jobrunner;
