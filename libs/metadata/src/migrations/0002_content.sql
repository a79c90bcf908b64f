-- What is stored. A digest is one algorithm byte (1: sha256, 2: sha512) followed by the raw hash.

-- One row per stored content. object_key is the content's own key, made for one upload and never used again.
CREATE TABLE blob (
  digest     bytea PRIMARY KEY,
  size_bytes bigint NOT NULL,
  object_key text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT blob_object_key_key UNIQUE (object_key),
  CONSTRAINT blob_size_check CHECK (size_bytes >= 0)
);

-- The link: this repository may serve this blob. The access boundary between repositories. A link whose deletion was
-- asked for (released_at) while a manifest needs it goes with the last such manifest.
CREATE TABLE repository_blob (
  repository_id uuid NOT NULL,
  digest        bytea NOT NULL,
  linked_at     timestamptz NOT NULL DEFAULT now(),
  released_at   timestamptz,
  CONSTRAINT repository_blob_pkey PRIMARY KEY (repository_id, digest),
  CONSTRAINT repository_blob_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id),
  CONSTRAINT repository_blob_blob_fkey FOREIGN KEY (digest) REFERENCES blob (digest)
);
CREATE INDEX repository_blob_digest_idx ON repository_blob (digest);

-- payload is the manifest as it was pushed, byte for byte. annotations and artifact_type are what the referrers
-- listing shows of it, kept only for manifests with a subject.
CREATE TABLE manifest (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id  uuid NOT NULL,
  digest         bytea NOT NULL,
  media_type     text NOT NULL,
  artifact_type  text,
  payload        bytea NOT NULL,
  subject_digest bytea,
  annotations    json,
  pushed_by      uuid,
  pushed_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT manifest_digest_key UNIQUE (repository_id, digest),
  CONSTRAINT manifest_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id),
  CONSTRAINT manifest_pushed_by_fkey FOREIGN KEY (pushed_by) REFERENCES account (id)
);
ALTER TABLE manifest ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX manifest_subject_idx ON manifest (repository_id, subject_digest, id) WHERE subject_digest IS NOT NULL;

CREATE TABLE manifest_blob (
  manifest_id   bigint NOT NULL,
  repository_id uuid NOT NULL,
  digest        bytea NOT NULL,
  size_bytes    bigint NOT NULL,
  CONSTRAINT manifest_blob_pkey PRIMARY KEY (manifest_id, digest),
  CONSTRAINT manifest_blob_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest (id),
  CONSTRAINT manifest_blob_link_fkey FOREIGN KEY (repository_id, digest) REFERENCES repository_blob (repository_id, digest)
);
CREATE INDEX manifest_blob_link_idx ON manifest_blob (repository_id, digest);

CREATE TABLE manifest_child (
  parent_id bigint NOT NULL,
  child_id  bigint NOT NULL,
  CONSTRAINT manifest_child_pkey PRIMARY KEY (parent_id, child_id),
  CONSTRAINT manifest_child_parent_fkey FOREIGN KEY (parent_id) REFERENCES manifest (id),
  CONSTRAINT manifest_child_child_fkey FOREIGN KEY (child_id) REFERENCES manifest (id)
);
CREATE INDEX manifest_child_child_idx ON manifest_child (child_id);

-- What a sparse manifest names and the repository does not hold yet (ENTREPOT_CONTENT_SPARSE). It becomes a
-- manifest_blob or manifest_child row in the transaction that brings the content, unless that ran beside the push; it
-- then stays, and protects the content like one (docs/races.md).
CREATE TABLE sparse_reference (
  repository_id uuid NOT NULL,
  digest        bytea NOT NULL,
  manifest_id   bigint NOT NULL,
  kind          text NOT NULL,
  size_bytes    bigint NOT NULL,
  CONSTRAINT sparse_reference_pkey PRIMARY KEY (repository_id, digest, manifest_id),
  CONSTRAINT sparse_reference_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest (id),
  CONSTRAINT sparse_reference_kind_check CHECK (kind IN ('blob', 'manifest'))
);
CREATE INDEX sparse_reference_manifest_idx ON sparse_reference (manifest_id);

CREATE TABLE tag (
  repository_id uuid NOT NULL,
  name          text COLLATE "C" NOT NULL,
  manifest_id   bigint NOT NULL,
  updated_by    uuid,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tag_pkey PRIMARY KEY (repository_id, name),
  CONSTRAINT tag_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id),
  CONSTRAINT tag_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest (id)
);
CREATE INDEX tag_manifest_idx ON tag (manifest_id);

-- Append only: what a tag meant, when, and through whom. digest is null where the tag was deleted.
CREATE TABLE tag_history (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id   uuid NOT NULL,
  name            text COLLATE "C" NOT NULL,
  digest          bytea,
  previous_digest bytea,
  changed_by      uuid,
  changed_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tag_history_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id)
);
CREATE INDEX tag_history_name_idx ON tag_history (repository_id, name, id);

-- An upload in progress. Bytes up to offset_bytes are durable under object_key; hash is the hash of exactly those bytes
-- by `algorithm`, where known. Whoever holds the lease may write; a lease that ran out may be taken over.
CREATE TABLE upload (
  id            uuid PRIMARY KEY,
  repository_id uuid NOT NULL,
  account_id    uuid,
  object_key    text COLLATE "C" NOT NULL,
  offset_bytes  bigint NOT NULL DEFAULT 0,
  algorithm     text NOT NULL DEFAULT 'sha256',
  hash          bytea,
  lease_id      uuid,
  lease_until   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  touched_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT upload_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id),
  CONSTRAINT upload_account_fkey FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT upload_algorithm_check CHECK (algorithm IN ('sha256', 'sha512'))
);
CREATE INDEX upload_touched_at_idx ON upload (touched_at);
CREATE INDEX upload_repository_idx ON upload (repository_id);
CREATE INDEX upload_account_idx ON upload (account_id);

-- Looks that garbage collection owes, written by the transaction that made them due.
CREATE TABLE blob_review (
  digest    bytea PRIMARY KEY,
  reason    text NOT NULL,
  due_at    timestamptz NOT NULL,
  attempts  integer NOT NULL DEFAULT 0
);
CREATE INDEX blob_review_due_at_idx ON blob_review (due_at);

CREATE TABLE manifest_review (
  manifest_id bigint PRIMARY KEY,
  reason      text NOT NULL,
  due_at      timestamptz NOT NULL,
  attempts    integer NOT NULL DEFAULT 0,
  CONSTRAINT manifest_review_manifest_fkey FOREIGN KEY (manifest_id) REFERENCES manifest (id)
);
CREATE INDEX manifest_review_due_at_idx ON manifest_review (due_at);

-- Objects with no row left, waiting to be removed from the store. Keys are never reused, so removal needs no second look.
CREATE TABLE doomed_object (
  object_key text COLLATE "C" PRIMARY KEY,
  reason     text NOT NULL,
  doomed_at  timestamptz NOT NULL DEFAULT now(),
  due_at     timestamptz NOT NULL DEFAULT now(),
  attempts   integer NOT NULL DEFAULT 0
);
CREATE INDEX doomed_object_due_at_idx ON doomed_object (due_at);

-- Appended by each change, folded later into totals: no row that every push would fight for.
CREATE TABLE usage_delta (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id uuid NOT NULL,
  manifests     integer NOT NULL,
  size_bytes    bigint NOT NULL,
  changed_at    timestamptz NOT NULL DEFAULT now()
);

-- Who did what to what. Names are kept as they were: the row outlives what it speaks of.
CREATE TABLE audit_event (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  happened_at timestamptz NOT NULL DEFAULT now(),
  actor_id    uuid,
  actor_name  text NOT NULL,
  action      text NOT NULL,
  target      text NOT NULL,
  detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_event_happened_at_idx ON audit_event (happened_at);

-- Events committed with the change that they tell of, relayed later.
CREATE TABLE outbox_event (
  id         uuid PRIMARY KEY,
  kind       text NOT NULL,
  payload    jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  due_at     timestamptz NOT NULL DEFAULT now(),
  attempts   integer NOT NULL DEFAULT 0
);
CREATE INDEX outbox_event_due_at_idx ON outbox_event (due_at);
