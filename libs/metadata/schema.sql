-- The schema after all migrations. Written by `npm run generate`; change libs/metadata/src/migrations instead.

CREATE TABLE access_grant (
  id uuid NOT NULL,
  repository_id uuid,
  namespace_id uuid,
  team_id uuid,
  account_id uuid,
  role text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT access_grant_pkey PRIMARY KEY (id),
  CONSTRAINT access_grant_key UNIQUE NULLS NOT DISTINCT (repository_id, namespace_id, team_id, account_id),
  CONSTRAINT access_grant_account_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  CONSTRAINT access_grant_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
  CONSTRAINT access_grant_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id),
  CONSTRAINT access_grant_team_fkey FOREIGN KEY (team_id) REFERENCES team(id),
  CONSTRAINT access_grant_grantee_check CHECK ((num_nonnulls(team_id, account_id) = 1)),
  CONSTRAINT access_grant_resource_check CHECK ((num_nonnulls(repository_id, namespace_id) = 1)),
  CONSTRAINT access_grant_role_check CHECK ((role = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text])))
);
CREATE INDEX access_grant_account_idx ON access_grant USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX access_grant_namespace_idx ON access_grant USING btree (namespace_id) WHERE (namespace_id IS NOT NULL);
CREATE INDEX access_grant_team_idx ON access_grant USING btree (team_id) WHERE (team_id IS NOT NULL);

CREATE TABLE account (
  id uuid NOT NULL,
  password_hash text,
  is_admin boolean DEFAULT false NOT NULL,
  is_disabled boolean DEFAULT false NOT NULL,
  access_version bigint DEFAULT 1 NOT NULL,
  access_changed_at timestamp with time zone DEFAULT now() NOT NULL,
  credential_version bigint DEFAULT 1 NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT account_pkey PRIMARY KEY (id),
  CONSTRAINT account_namespace_fkey FOREIGN KEY (id) REFERENCES namespace(id)
);
CREATE INDEX account_access_changed_at_idx ON account USING btree (access_changed_at) WHERE (access_version > 1);

CREATE TABLE audit_event (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  happened_at timestamp with time zone DEFAULT now() NOT NULL,
  actor_id uuid,
  actor_name text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  detail jsonb DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT audit_event_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_event_happened_at_idx ON audit_event USING btree (happened_at);

CREATE TABLE blob (
  digest bytea NOT NULL,
  size_bytes bigint NOT NULL,
  object_key text COLLATE "C" NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  seen_at timestamp with time zone DEFAULT now() NOT NULL,
  fault text,
  fault_at timestamp with time zone,
  CONSTRAINT blob_pkey PRIMARY KEY (digest),
  CONSTRAINT blob_fault_at_check CHECK (((fault IS NULL) = (fault_at IS NULL))),
  CONSTRAINT blob_fault_check CHECK ((fault = ANY (ARRAY['missing'::text, 'short'::text, 'corrupt'::text]))),
  CONSTRAINT blob_size_check CHECK ((size_bytes >= 0))
);
CREATE INDEX blob_fault_at_idx ON blob USING btree (fault_at) WHERE (fault IS NOT NULL);
CREATE UNIQUE INDEX blob_object_key_idx ON blob USING btree (object_key) WHERE (object_key IS NOT NULL);

CREATE TABLE blob_review (
  digest bytea NOT NULL,
  reason text NOT NULL,
  due_at timestamp with time zone NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  CONSTRAINT blob_review_pkey PRIMARY KEY (digest)
);
CREATE INDEX blob_review_due_at_idx ON blob_review USING btree (due_at);

CREATE TABLE doomed_object (
  object_key text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  doomed_at timestamp with time zone DEFAULT now() NOT NULL,
  due_at timestamp with time zone DEFAULT now() NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  size_bytes bigint,
  CONSTRAINT doomed_object_pkey PRIMARY KEY (object_key)
);
CREATE INDEX doomed_object_due_at_idx ON doomed_object USING btree (due_at);

CREATE TABLE finished_upload (
  upload_id uuid NOT NULL,
  repository_id uuid NOT NULL,
  account_id uuid NOT NULL,
  digest bytea NOT NULL,
  finished_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT finished_upload_pkey PRIMARY KEY (upload_id)
);
CREATE INDEX finished_upload_finished_at_idx ON finished_upload USING btree (finished_at);

CREATE TABLE gc_setting (
  name text NOT NULL,
  value text NOT NULL,
  done_to bigint,
  CONSTRAINT gc_setting_pkey PRIMARY KEY (name)
);

CREATE TABLE job (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  kind text NOT NULL,
  status text DEFAULT 'waiting'::text NOT NULL,
  requested_by text NOT NULL,
  is_scheduled boolean DEFAULT false NOT NULL,
  retry_from_id uuid,
  retries_left integer DEFAULT 0 NOT NULL,
  retries_total integer DEFAULT 0 NOT NULL,
  capacity jsonb NOT NULL,
  parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
  deadline_ms bigint,
  stop_timeout_ms bigint DEFAULT 10000 NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  scheduled_at timestamp with time zone DEFAULT now() NOT NULL,
  started_at timestamp with time zone,
  last_updated timestamp with time zone DEFAULT now() NOT NULL,
  finished_at timestamp with time zone,
  worker_id uuid,
  fence bigint DEFAULT 0 NOT NULL,
  heartbeat_at timestamp with time zone,
  losses integer DEFAULT 0 NOT NULL,
  cancel_requested_at timestamp with time zone,
  cancel_requested_by text,
  progress jsonb,
  state jsonb,
  result json,
  error text,
  is_dead boolean DEFAULT false NOT NULL,
  CONSTRAINT job_pkey PRIMARY KEY (id),
  CONSTRAINT job_check CHECK (((status = 'running'::text) = (heartbeat_at IS NOT NULL))),
  CONSTRAINT job_check1 CHECK (((status = ANY (ARRAY['done'::text, 'canceled'::text, 'errored'::text])) = (finished_at IS NOT NULL))),
  CONSTRAINT job_retries_left_check CHECK ((retries_left >= 0)),
  CONSTRAINT job_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'canceled'::text, 'errored'::text])))
);
CREATE INDEX job_finished_idx ON job USING btree (finished_at, id) WHERE (finished_at IS NOT NULL);
CREATE INDEX job_running_idx ON job USING btree (heartbeat_at) WHERE (status = 'running'::text);
CREATE INDEX job_scheduled_at_idx ON job USING btree (scheduled_at, id);
CREATE INDEX job_waiting_idx ON job USING btree (scheduled_at, id) WHERE (status = 'waiting'::text);

CREATE TABLE job_log (
  job_id uuid NOT NULL,
  line_number integer NOT NULL,
  at timestamp with time zone DEFAULT now() NOT NULL,
  data text NOT NULL,
  CONSTRAINT job_log_pkey PRIMARY KEY (job_id, line_number),
  CONSTRAINT job_log_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id)
);

CREATE TABLE link_review (
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  reason text NOT NULL,
  due_at timestamp with time zone NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  CONSTRAINT link_review_pkey PRIMARY KEY (repository_id, digest)
);
CREATE INDEX link_review_due_at_idx ON link_review USING btree (due_at);

CREATE UNLOGGED TABLE login_failure (
  key text COLLATE "C" NOT NULL,
  failures integer NOT NULL,
  resets_at timestamp with time zone NOT NULL,
  CONSTRAINT login_failure_pkey PRIMARY KEY (key)
);
CREATE INDEX login_failure_resets_at_idx ON login_failure USING btree (resets_at);

CREATE TABLE manifest (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  media_type text NOT NULL,
  artifact_type text,
  payload bytea NOT NULL,
  subject_digest bytea,
  annotations json,
  pushed_by uuid,
  pushed_at timestamp with time zone DEFAULT now() NOT NULL,
  deleted_at timestamp with time zone,
  deleted_by text,
  CONSTRAINT manifest_pkey PRIMARY KEY (id),
  CONSTRAINT manifest_digest_key UNIQUE (repository_id, digest),
  CONSTRAINT manifest_pushed_by_fkey FOREIGN KEY (pushed_by) REFERENCES account(id),
  CONSTRAINT manifest_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id)
);
ALTER TABLE manifest ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX manifest_deleted_at_idx ON manifest USING btree (deleted_at, id) WHERE (deleted_at IS NOT NULL);
CREATE INDEX manifest_referrer_idx ON manifest USING btree (repository_id, subject_digest, digest) WHERE (subject_digest IS NOT NULL);

CREATE TABLE manifest_blob (
  manifest_id bigint NOT NULL,
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  size_bytes bigint NOT NULL,
  CONSTRAINT manifest_blob_pkey PRIMARY KEY (manifest_id, digest),
  CONSTRAINT manifest_blob_link_fkey FOREIGN KEY (repository_id, digest) REFERENCES repository_blob(repository_id, digest),
  CONSTRAINT manifest_blob_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest(id)
);
CREATE INDEX manifest_blob_link_idx ON manifest_blob USING btree (repository_id, digest);

CREATE TABLE manifest_child (
  parent_id bigint NOT NULL,
  child_id bigint NOT NULL,
  CONSTRAINT manifest_child_pkey PRIMARY KEY (parent_id, child_id),
  CONSTRAINT manifest_child_child_fkey FOREIGN KEY (child_id) REFERENCES manifest(id),
  CONSTRAINT manifest_child_parent_fkey FOREIGN KEY (parent_id) REFERENCES manifest(id)
);
CREATE INDEX manifest_child_child_idx ON manifest_child USING btree (child_id);

CREATE TABLE manifest_review (
  manifest_id bigint NOT NULL,
  reason text NOT NULL,
  due_at timestamp with time zone NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  hold text,
  orphaned_at timestamp with time zone,
  CONSTRAINT manifest_review_pkey PRIMARY KEY (manifest_id),
  CONSTRAINT manifest_review_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest(id),
  CONSTRAINT manifest_review_hold_check CHECK ((hold = ANY (ARRAY['history'::text, 'untagged'::text, 'orphan'::text, 'deleted'::text, 'repository'::text])))
);
CREATE INDEX manifest_review_due_at_idx ON manifest_review USING btree (due_at);

CREATE TABLE manifest_use (
  manifest_id bigint NOT NULL,
  used_at timestamp with time zone NOT NULL,
  CONSTRAINT manifest_use_pkey PRIMARY KEY (manifest_id)
);

CREATE TABLE manifest_use_mark (
  manifest_id bigint NOT NULL,
  used_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE INDEX manifest_use_mark_manifest_idx ON manifest_use_mark USING btree (manifest_id, used_at);

CREATE TABLE namespace (
  id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  default_visibility text DEFAULT 'private'::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  untagged text,
  CONSTRAINT namespace_pkey PRIMARY KEY (id),
  CONSTRAINT namespace_name_key UNIQUE (name),
  CONSTRAINT namespace_default_visibility_check CHECK ((default_visibility = ANY (ARRAY['public'::text, 'private'::text]))),
  CONSTRAINT namespace_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'organisation'::text]))),
  CONSTRAINT namespace_untagged_check CHECK (((untagged = 'keep'::text) OR (untagged ~ '^[0-9]{1,9}(ms|s|m|h|d)$'::text)))
);
CREATE INDEX namespace_untagged_idx ON namespace USING btree (id) WHERE (untagged IS NOT NULL);

CREATE TABLE organisation_member (
  namespace_id uuid NOT NULL,
  account_id uuid NOT NULL,
  role text NOT NULL,
  CONSTRAINT organisation_member_pkey PRIMARY KEY (namespace_id, account_id),
  CONSTRAINT organisation_member_account_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  CONSTRAINT organisation_member_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
  CONSTRAINT organisation_member_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])))
);
CREATE INDEX organisation_member_account_idx ON organisation_member USING btree (account_id);

CREATE TABLE outbox_event (
  id uuid NOT NULL,
  kind text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  due_at timestamp with time zone DEFAULT now() NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  CONSTRAINT outbox_event_pkey PRIMARY KEY (id)
);
CREATE INDEX outbox_event_due_at_idx ON outbox_event USING btree (due_at);

CREATE TABLE recovery_mark (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  kind text NOT NULL,
  owner_id uuid NOT NULL,
  key bytea NOT NULL,
  marked_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT recovery_mark_pkey PRIMARY KEY (id),
  CONSTRAINT recovery_mark_kind_check CHECK ((kind = ANY (ARRAY['namespace'::text, 'repository'::text, 'manifest'::text, 'tag'::text])))
);

CREATE TABLE recovery_state (
  is_only boolean DEFAULT true NOT NULL,
  log_id uuid DEFAULT gen_random_uuid() NOT NULL,
  last_number bigint DEFAULT 0 NOT NULL,
  written_number bigint DEFAULT 0 NOT NULL,
  driver text,
  snapshot_bytes bigint DEFAULT 0 NOT NULL,
  segment_count bigint DEFAULT 0 NOT NULL,
  segment_bytes bigint DEFAULT 0 NOT NULL,
  lease_id uuid,
  lease_until timestamp with time zone,
  CONSTRAINT recovery_state_pkey PRIMARY KEY (is_only),
  CONSTRAINT recovery_state_only_check CHECK (is_only)
);

CREATE TABLE refresh_token (
  secret_sha256 bytea NOT NULL,
  account_id uuid NOT NULL,
  credential_version bigint NOT NULL,
  service text NOT NULL,
  client_id text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT refresh_token_pkey PRIMARY KEY (secret_sha256),
  CONSTRAINT refresh_token_account_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);
CREATE INDEX refresh_token_account_idx ON refresh_token USING btree (account_id, created_at);
CREATE INDEX refresh_token_expires_at_idx ON refresh_token USING btree (expires_at);

CREATE TABLE repository (
  id uuid NOT NULL,
  namespace_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  visibility text DEFAULT 'private'::text NOT NULL,
  created_by uuid,
  access_version bigint DEFAULT 1 NOT NULL,
  access_changed_at timestamp with time zone DEFAULT now() NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  removal_began_at timestamp with time zone,
  deleted_at timestamp with time zone,
  deleted_by text,
  deleted_name text COLLATE "C",
  restored_at timestamp with time zone,
  CONSTRAINT repository_pkey PRIMARY KEY (id),
  CONSTRAINT repository_name_key UNIQUE (name),
  CONSTRAINT repository_created_by_fkey FOREIGN KEY (created_by) REFERENCES account(id),
  CONSTRAINT repository_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
  CONSTRAINT repository_deleted_check CHECK ((num_nulls(deleted_at, deleted_name) = ANY (ARRAY[0, 2]))),
  CONSTRAINT repository_visibility_check CHECK ((visibility = ANY (ARRAY['public'::text, 'private'::text])))
);
CREATE INDEX repository_access_changed_at_idx ON repository USING btree (access_changed_at) WHERE (access_version > 1);
CREATE INDEX repository_deleted_at_idx ON repository USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX repository_deleted_name_idx ON repository USING btree (deleted_name, deleted_at) WHERE (deleted_at IS NOT NULL);
CREATE INDEX repository_namespace_idx ON repository USING btree (namespace_id, name);
CREATE INDEX repository_public_idx ON repository USING btree (name) WHERE (visibility = 'public'::text);

CREATE TABLE repository_blob (
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  linked_at timestamp with time zone DEFAULT now() NOT NULL,
  released_at timestamp with time zone,
  CONSTRAINT repository_blob_pkey PRIMARY KEY (repository_id, digest),
  CONSTRAINT repository_blob_blob_fkey FOREIGN KEY (digest) REFERENCES blob(digest),
  CONSTRAINT repository_blob_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id)
);
CREATE INDEX repository_blob_digest_idx ON repository_blob USING btree (digest);

CREATE TABLE schedule (
  kind text NOT NULL,
  default_spec text NOT NULL,
  override_spec text,
  set_by text,
  retries integer DEFAULT 0 NOT NULL,
  next_at timestamp with time zone,
  last_fired_at timestamp with time zone,
  CONSTRAINT schedule_pkey PRIMARY KEY (kind)
);

CREATE TABLE schema_migration (
  name text NOT NULL,
  ran_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT schema_migration_pkey PRIMARY KEY (name)
);

CREATE TABLE signing_key (
  kid text NOT NULL,
  public_jwk jsonb NOT NULL,
  sealed_private text NOT NULL,
  signs_from timestamp with time zone NOT NULL,
  verifies_until timestamp with time zone,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT signing_key_pkey PRIMARY KEY (kid)
);

CREATE TABLE sparse_reference (
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  manifest_id bigint NOT NULL,
  kind text NOT NULL,
  size_bytes bigint NOT NULL,
  CONSTRAINT sparse_reference_pkey PRIMARY KEY (repository_id, digest, manifest_id),
  CONSTRAINT sparse_reference_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest(id),
  CONSTRAINT sparse_reference_kind_check CHECK ((kind = ANY (ARRAY['blob'::text, 'manifest'::text])))
);
CREATE INDEX sparse_reference_manifest_idx ON sparse_reference USING btree (manifest_id);

CREATE TABLE sweep_candidate (
  object_key text COLLATE "C" NOT NULL,
  upload_key text COLLATE "C" NOT NULL,
  blob_key text COLLATE "C",
  doomed_key text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  modified_at timestamp with time zone NOT NULL,
  first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
  first_run text NOT NULL,
  last_run text NOT NULL,
  CONSTRAINT sweep_candidate_pkey PRIMARY KEY (object_key)
);
CREATE INDEX sweep_candidate_doomed_key_idx ON sweep_candidate USING btree (doomed_key);

CREATE TABLE tag (
  repository_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  manifest_id bigint NOT NULL,
  updated_by uuid,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT tag_pkey PRIMARY KEY (repository_id, name),
  CONSTRAINT tag_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest(id),
  CONSTRAINT tag_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id)
);
CREATE INDEX tag_manifest_idx ON tag USING btree (manifest_id);

CREATE TABLE tag_history (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  repository_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  digest bytea,
  previous_digest bytea,
  changed_by uuid,
  changed_at timestamp with time zone DEFAULT now() NOT NULL,
  changed_by_name text,
  CONSTRAINT tag_history_pkey PRIMARY KEY (id),
  CONSTRAINT tag_history_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id)
);
CREATE INDEX tag_history_name_idx ON tag_history USING btree (repository_id, name, id);
CREATE INDEX tag_history_previous_idx ON tag_history USING btree (repository_id, previous_digest, changed_at) WHERE (previous_digest IS NOT NULL);

CREATE TABLE team (
  id uuid NOT NULL,
  namespace_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT team_pkey PRIMARY KEY (id),
  CONSTRAINT team_name_key UNIQUE (namespace_id, name),
  CONSTRAINT team_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id)
);

CREATE TABLE team_member (
  team_id uuid NOT NULL,
  account_id uuid NOT NULL,
  CONSTRAINT team_member_pkey PRIMARY KEY (team_id, account_id),
  CONSTRAINT team_member_account_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  CONSTRAINT team_member_team_fkey FOREIGN KEY (team_id) REFERENCES team(id)
);
CREATE INDEX team_member_account_idx ON team_member USING btree (account_id);

CREATE TABLE upload (
  id uuid NOT NULL,
  repository_id uuid NOT NULL,
  account_id uuid,
  object_key text COLLATE "C" NOT NULL,
  offset_bytes bigint DEFAULT 0 NOT NULL,
  algorithm text DEFAULT 'sha256'::text NOT NULL,
  hash bytea,
  lease_id uuid,
  lease_until timestamp with time zone,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  touched_at timestamp with time zone DEFAULT now() NOT NULL,
  resume text,
  lease_lock bigint,
  CONSTRAINT upload_pkey PRIMARY KEY (id),
  CONSTRAINT upload_account_fkey FOREIGN KEY (account_id) REFERENCES account(id),
  CONSTRAINT upload_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository(id),
  CONSTRAINT upload_algorithm_check CHECK ((algorithm = ANY (ARRAY['sha256'::text, 'sha512'::text])))
);
CREATE INDEX upload_account_idx ON upload USING btree (account_id);
CREATE INDEX upload_object_key_idx ON upload USING btree (object_key);
CREATE INDEX upload_repository_idx ON upload USING btree (repository_id);
CREATE INDEX upload_touched_at_idx ON upload USING btree (touched_at);

CREATE TABLE usage_delta (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  repository_id uuid NOT NULL,
  manifests integer NOT NULL,
  size_bytes bigint NOT NULL,
  changed_at timestamp with time zone DEFAULT now() NOT NULL,
  payload_bytes bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_delta_pkey PRIMARY KEY (id)
);

CREATE TABLE usage_link_delta (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  repository_id uuid NOT NULL,
  digest bytea NOT NULL,
  links integer NOT NULL,
  size_bytes bigint,
  CONSTRAINT usage_link_delta_pkey PRIMARY KEY (id)
);

CREATE TABLE usage_namespace (
  namespace_id uuid NOT NULL,
  manifests bigint DEFAULT 0 NOT NULL,
  logical_bytes bigint DEFAULT 0 NOT NULL,
  payload_bytes bigint DEFAULT 0 NOT NULL,
  blobs bigint DEFAULT 0 NOT NULL,
  blob_bytes bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_namespace_pkey PRIMARY KEY (namespace_id)
);

CREATE TABLE usage_namespace_blob (
  namespace_id uuid NOT NULL,
  digest bytea NOT NULL,
  links bigint NOT NULL,
  size_bytes bigint NOT NULL,
  CONSTRAINT usage_namespace_blob_pkey PRIMARY KEY (namespace_id, digest)
);

CREATE TABLE usage_repository (
  repository_id uuid NOT NULL,
  namespace_id uuid NOT NULL,
  is_live boolean NOT NULL,
  manifests bigint DEFAULT 0 NOT NULL,
  logical_bytes bigint DEFAULT 0 NOT NULL,
  payload_bytes bigint DEFAULT 0 NOT NULL,
  blobs bigint DEFAULT 0 NOT NULL,
  blob_bytes bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_repository_pkey PRIMARY KEY (repository_id)
);

CREATE TABLE usage_repository_mark (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  repository_id uuid NOT NULL,
  CONSTRAINT usage_repository_mark_pkey PRIMARY KEY (id)
);

CREATE TABLE usage_store_delta (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  blobs bigint DEFAULT 0 NOT NULL,
  size_bytes bigint DEFAULT 0 NOT NULL,
  freed_objects bigint DEFAULT 0 NOT NULL,
  freed_bytes bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_store_delta_pkey PRIMARY KEY (id)
);

CREATE TABLE usage_total (
  is_only boolean DEFAULT true NOT NULL,
  blobs bigint DEFAULT 0 NOT NULL,
  blob_bytes bigint DEFAULT 0 NOT NULL,
  freed_objects bigint DEFAULT 0 NOT NULL,
  freed_bytes bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_total_pkey PRIMARY KEY (is_only),
  CONSTRAINT usage_total_only_check CHECK (is_only)
);

CREATE TABLE worker (
  id uuid NOT NULL,
  host text NOT NULL,
  process_id integer NOT NULL,
  kinds text[] NOT NULL,
  capacity jsonb NOT NULL,
  is_stopping boolean DEFAULT false NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT worker_pkey PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION public.mark_awaiting_manifests()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO recovery_mark (kind, owner_id, key)
  SELECT DISTINCT 'manifest', m.repository_id, m.digest FROM old_rows o JOIN manifest m ON m.id = o.manifest_id;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.mark_manifests()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.mark_namespaces()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.mark_repositories()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.mark_tags()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.record_healed_blob()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  known CONSTANT text := CASE get_byte(NEW.digest, 0) WHEN 1 THEN 'sha256:' ELSE 'sha512:' END
    || encode(substring(NEW.digest FROM 2), 'hex');
  story CONSTANT jsonb := jsonb_build_object('digest', known, 'fault', OLD.fault, 'faultAt', OLD.fault_at,
    'formerKey', OLD.object_key, 'objectKey', NEW.object_key, 'sizeBytes', NEW.size_bytes);
BEGIN
  IF OLD.object_key <> NEW.object_key THEN
    INSERT INTO doomed_object (object_key, reason, size_bytes)
    VALUES (OLD.object_key, 'blob healed', CASE OLD.fault WHEN 'missing' THEN 0 ELSE OLD.size_bytes END)
    ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason;
  END IF;
  INSERT INTO audit_event (actor_id, actor_name, action, target, detail)
  SELECT f.account_id, coalesce(n.name, 'gc'), 'blob.healed', known, story
  FROM (SELECT) AS one
  LEFT JOIN finished_upload f ON f.finished_at = now() AND f.digest = NEW.digest
  LEFT JOIN namespace n ON n.id = f.account_id
  LIMIT 1;
  INSERT INTO outbox_event (id, kind, payload) VALUES (gen_random_uuid(), 'blob.healed', story);
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_blobs_added()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_store_delta (blobs, size_bytes) SELECT count(*), sum(size_bytes) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_blobs_removed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_store_delta (blobs, size_bytes) SELECT -count(*), -sum(size_bytes) FROM removed HAVING count(*) > 0;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_links_added()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_link_delta (repository_id, digest, links, size_bytes)
  SELECT repository_id, digest, 1, (SELECT b.size_bytes FROM blob b WHERE b.digest = added.digest) FROM added;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_links_removed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_link_delta (repository_id, digest, links) SELECT repository_id, digest, -1 FROM removed;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_manifests_added()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_delta (repository_id, manifests, size_bytes, payload_bytes)
  SELECT repository_id, 0, 0, sum(octet_length(payload)) FROM added GROUP BY repository_id;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_manifests_removed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_delta (repository_id, manifests, size_bytes, payload_bytes)
  SELECT repository_id, 0, 0, -sum(octet_length(payload)) FROM removed GROUP BY repository_id;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_repositories_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_repository_mark (repository_id)
  SELECT id FROM was JOIN is_now USING (id)
  WHERE was.namespace_id <> is_now.namespace_id OR (was.deleted_at IS NULL) <> (is_now.deleted_at IS NULL);
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.usage_repositories_removed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO usage_repository_mark (repository_id) SELECT id FROM removed;
  RETURN NULL;
END $function$;

CREATE TRIGGER blob_healed AFTER UPDATE ON public.blob FOR EACH ROW WHEN (((old.fault IS NOT NULL) AND (new.fault IS NULL))) EXECUTE FUNCTION record_healed_blob();

CREATE TRIGGER recovery_delete AFTER DELETE ON public.manifest REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_manifests();

CREATE TRIGGER recovery_delete AFTER DELETE ON public.namespace REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_namespaces();

CREATE TRIGGER recovery_delete AFTER DELETE ON public.repository REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_repositories();

CREATE TRIGGER recovery_delete AFTER DELETE ON public.sparse_reference REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_awaiting_manifests();

CREATE TRIGGER recovery_delete AFTER DELETE ON public.tag REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_tags();

CREATE TRIGGER recovery_insert AFTER INSERT ON public.manifest REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_manifests();

CREATE TRIGGER recovery_insert AFTER INSERT ON public.namespace REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_namespaces();

CREATE TRIGGER recovery_insert AFTER INSERT ON public.repository REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_repositories();

CREATE TRIGGER recovery_insert AFTER INSERT ON public.tag REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_tags();

CREATE TRIGGER recovery_update AFTER UPDATE ON public.manifest REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_manifests();

CREATE TRIGGER recovery_update AFTER UPDATE ON public.namespace REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_namespaces();

CREATE TRIGGER recovery_update AFTER UPDATE ON public.repository REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_repositories();

CREATE TRIGGER recovery_update AFTER UPDATE ON public.tag REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_tags();

CREATE TRIGGER usage_added AFTER INSERT ON public.blob REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_blobs_added();

CREATE TRIGGER usage_added AFTER INSERT ON public.manifest REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_manifests_added();

CREATE TRIGGER usage_added AFTER INSERT ON public.repository_blob REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_links_added();

CREATE TRIGGER usage_changed AFTER UPDATE ON public.repository REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION usage_repositories_changed();

CREATE TRIGGER usage_removed AFTER DELETE ON public.blob REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_blobs_removed();

CREATE TRIGGER usage_removed AFTER DELETE ON public.manifest REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_manifests_removed();

CREATE TRIGGER usage_removed AFTER DELETE ON public.repository REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_repositories_removed();

CREATE TRIGGER usage_removed AFTER DELETE ON public.repository_blob REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION usage_links_removed();

GRANT SELECT ON access_grant TO entrepot_auth;
GRANT SELECT, UPDATE (password_hash) ON account TO entrepot_auth;
GRANT INSERT ON audit_event TO entrepot_auth;
GRANT DELETE, INSERT, SELECT, UPDATE ON login_failure TO entrepot_auth;
GRANT SELECT ON namespace TO entrepot_auth;
GRANT SELECT ON organisation_member TO entrepot_auth;
GRANT DELETE, INSERT, SELECT, UPDATE ON refresh_token TO entrepot_auth;
GRANT SELECT ON repository TO entrepot_auth;
GRANT SELECT ON schema_migration TO entrepot_auth;
GRANT DELETE, INSERT, SELECT, UPDATE ON signing_key TO entrepot_auth;
GRANT SELECT ON team TO entrepot_auth;
GRANT SELECT ON team_member TO entrepot_auth;
GRANT DELETE, SELECT ON access_grant TO entrepot_jobrunner;
GRANT INSERT ON audit_event TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON blob TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON blob_review TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON doomed_object TO entrepot_jobrunner;
GRANT DELETE, SELECT ON finished_upload TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON gc_setting TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON job TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON job_log TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON link_review TO entrepot_jobrunner;
GRANT DELETE, SELECT ON login_failure TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_blob TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_child TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_review TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_use TO entrepot_jobrunner;
GRANT DELETE, SELECT ON manifest_use_mark TO entrepot_jobrunner;
GRANT SELECT ON namespace TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON outbox_event TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT ON recovery_mark TO entrepot_jobrunner;
GRANT SELECT, UPDATE ON recovery_state TO entrepot_jobrunner;
GRANT DELETE, SELECT ON refresh_token TO entrepot_jobrunner;
GRANT DELETE, SELECT, UPDATE (created_at, removal_began_at) ON repository TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON repository_blob TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON schedule TO entrepot_jobrunner;
GRANT SELECT ON schema_migration TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON sparse_reference TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON sweep_candidate TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON tag TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON tag_history TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON upload TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage_delta TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT ON usage_link_delta TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage_namespace TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage_namespace_blob TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage_repository TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT ON usage_repository_mark TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT ON usage_store_delta TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON usage_total TO entrepot_jobrunner;
GRANT DELETE, INSERT, SELECT, UPDATE ON worker TO entrepot_jobrunner;
GRANT SELECT ON access_grant TO entrepot_registry;
GRANT SELECT ON account TO entrepot_registry;
GRANT INSERT ON audit_event TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON blob TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON blob_review TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON doomed_object TO entrepot_registry;
GRANT INSERT, SELECT ON finished_upload TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON link_review TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON login_failure TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_blob TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_child TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_review TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON manifest_use TO entrepot_registry;
GRANT INSERT ON manifest_use_mark TO entrepot_registry;
GRANT SELECT ON namespace TO entrepot_registry;
GRANT SELECT ON organisation_member TO entrepot_registry;
GRANT INSERT, SELECT (id) ON outbox_event TO entrepot_registry;
GRANT DELETE, INSERT, SELECT ON recovery_mark TO entrepot_registry;
GRANT SELECT, UPDATE ON recovery_state TO entrepot_registry;
GRANT INSERT, SELECT, UPDATE (created_at) ON repository TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON repository_blob TO entrepot_registry;
GRANT SELECT ON schema_migration TO entrepot_registry;
GRANT SELECT (kid, public_jwk, signs_from, verifies_until, created_at) ON signing_key TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON sparse_reference TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON tag TO entrepot_registry;
GRANT INSERT, SELECT ON tag_history TO entrepot_registry;
GRANT SELECT ON team TO entrepot_registry;
GRANT SELECT ON team_member TO entrepot_registry;
GRANT DELETE, INSERT, SELECT, UPDATE ON upload TO entrepot_registry;
GRANT INSERT ON usage_delta TO entrepot_registry;
GRANT INSERT ON usage_link_delta TO entrepot_registry;
GRANT INSERT ON usage_repository_mark TO entrepot_registry;
GRANT INSERT ON usage_store_delta TO entrepot_registry;
