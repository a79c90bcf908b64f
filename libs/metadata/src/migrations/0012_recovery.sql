-- Recovery: what Postgres alone knows of the content is also written beside the objects, so that a lost database can be
-- rebuilt. A change leaves a mark that says where to look, in its own transaction; a relay writes what is found there,
-- and then removes the mark. Triggers leave the marks, so that no writer can forget one.
CREATE TABLE recovery_mark (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT recovery_mark_pkey PRIMARY KEY,
  kind text NOT NULL CONSTRAINT recovery_mark_kind_check CHECK (kind IN ('namespace', 'repository', 'manifest', 'tag')),
  -- Of the namespace, or of the repository.
  owner_id uuid NOT NULL,
  -- The digest of a manifest, the name of a tag in UTF-8; empty for the others.
  key bytea NOT NULL,
  marked_at timestamptz NOT NULL DEFAULT now()
);

-- One row: where the log stands. Numbers are taken before the state is read that is written under them, so that a late
-- writer has a lower one than whoever came after it.
CREATE TABLE recovery_state (
  is_only boolean NOT NULL DEFAULT true CONSTRAINT recovery_state_pkey PRIMARY KEY
    CONSTRAINT recovery_state_only_check CHECK (is_only),
  -- Whose log it is: another installation's in the same place is not taken for it.
  log_id uuid NOT NULL DEFAULT gen_random_uuid(),
  last_number bigint NOT NULL DEFAULT 0,
  -- The highest number that is known to be written.
  written_number bigint NOT NULL DEFAULT 0,
  -- The store that has the whole log; null until the first snapshot is in one.
  driver text,
  snapshot_bytes bigint NOT NULL DEFAULT 0,
  -- Written since the snapshot.
  segment_count bigint NOT NULL DEFAULT 0,
  segment_bytes bigint NOT NULL DEFAULT 0,
  lease_id uuid,
  lease_until timestamptz
);
INSERT INTO recovery_state DEFAULT VALUES;

-- Only what the log says of a row is compared: an UPDATE that changes nothing of it leaves no mark.
CREATE FUNCTION mark_namespaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'namespace', id, '' FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'namespace', id, '' FROM old_rows;
  ELSE
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'namespace', n.id, '' FROM new_rows n JOIN old_rows o USING (id)
    WHERE (n.name, n.kind, n.default_visibility, n.untagged)
      IS DISTINCT FROM (o.name, o.kind, o.default_visibility, o.untagged);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION mark_repositories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'repository', id, '' FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'repository', id, '' FROM old_rows;
  ELSE
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'repository', n.id, '' FROM new_rows n JOIN old_rows o USING (id)
    WHERE (n.namespace_id, n.name, n.visibility, n.created_by,
           n.deleted_at, n.deleted_by, n.deleted_name, n.removal_began_at)
      IS DISTINCT FROM (o.namespace_id, o.name, o.visibility, o.created_by,
           o.deleted_at, o.deleted_by, o.deleted_name, o.removal_began_at);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION mark_manifests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'manifest', repository_id, digest FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO recovery_mark (kind, owner_id, key) SELECT 'manifest', repository_id, digest FROM old_rows;
  ELSE
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'manifest', n.repository_id, n.digest FROM new_rows n JOIN old_rows o USING (id)
    WHERE (n.media_type, n.deleted_at, n.deleted_by) IS DISTINCT FROM (o.media_type, o.deleted_at, o.deleted_by);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION mark_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'tag', repository_id, convert_to(name, 'UTF8') FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'tag', repository_id, convert_to(name, 'UTF8') FROM old_rows;
  ELSE
    INSERT INTO recovery_mark (kind, owner_id, key)
    SELECT 'tag', n.repository_id, convert_to(n.name, 'UTF8') FROM new_rows n JOIN old_rows o USING (repository_id, name)
    WHERE n.manifest_id <> o.manifest_id;
  END IF;
  RETURN NULL;
END $$;

-- What a sparse manifest waits for is said with the manifest: without it a rebuild would link what the repository never held.
CREATE FUNCTION mark_awaiting_manifests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO recovery_mark (kind, owner_id, key)
  SELECT DISTINCT 'manifest', m.repository_id, m.digest FROM old_rows o JOIN manifest m ON m.id = o.manifest_id;
  RETURN NULL;
END $$;
CREATE TRIGGER recovery_delete AFTER DELETE ON sparse_reference
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_awaiting_manifests();

DO $$
DECLARE marked record;
BEGIN
  FOR marked IN SELECT * FROM (VALUES
    ('namespace', 'mark_namespaces'), ('repository', 'mark_repositories'),
    ('manifest', 'mark_manifests'), ('tag', 'mark_tags')) AS m (table_name, function_name)
  LOOP
    EXECUTE format('CREATE TRIGGER recovery_insert AFTER INSERT ON %I
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
      marked.table_name, marked.function_name);
    EXECUTE format('CREATE TRIGGER recovery_update AFTER UPDATE ON %I
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
      marked.table_name, marked.function_name);
    EXECUTE format('CREATE TRIGGER recovery_delete AFTER DELETE ON %I
      REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
      marked.table_name, marked.function_name);
  END LOOP;
END $$;

-- The jobrunner relays; whoever stops last writes what is left.
GRANT SELECT, INSERT, DELETE ON recovery_mark TO entrepot_registry, entrepot_jobrunner;
GRANT SELECT, UPDATE ON recovery_state TO entrepot_registry, entrepot_jobrunner;
