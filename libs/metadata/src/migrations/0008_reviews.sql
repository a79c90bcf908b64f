-- Online garbage collection. A review is a look that is owed: at a manifest, at a repository's link to a blob, at a blob.
-- The first removes the second's reason to stay, the second the third's.

-- due_at is the promise that an upload, a mount or a HEAD gave: the link stays until then, whatever refers to it. A link
-- without a row here is referenced, or was when it was looked at last; what takes a reference away writes one. No foreign
-- key: a process of the version before removes links and knows nothing of these rows. One without its link is dropped.
CREATE TABLE link_review (
  repository_id uuid NOT NULL,
  digest        bytea NOT NULL,
  reason        text NOT NULL,
  due_at        timestamptz NOT NULL,
  attempts      integer NOT NULL DEFAULT 0,
  CONSTRAINT link_review_pkey PRIMARY KEY (repository_id, digest)
);
CREATE INDEX link_review_due_at_idx ON link_review (due_at);

-- Uploads and mounts had a review of the blob, which looked at no link. From now on it asks only whether a link is left.
INSERT INTO link_review (repository_id, digest, reason, due_at)
SELECT l.repository_id, l.digest, t.reason, t.due_at FROM blob_review t JOIN repository_blob l ON l.digest = t.digest;

-- hold says what the last look found that keeps the manifest for a time (a setting says for how long): a change of that
-- setting brings the next look forward. orphaned_at is when the manifest lost its subject.
ALTER TABLE manifest_review ADD COLUMN hold text, ADD COLUMN orphaned_at timestamptz;
ALTER TABLE manifest_review
  ADD CONSTRAINT manifest_review_hold_check CHECK (hold IN ('history', 'untagged', 'orphan', 'deleted', 'repository'));

-- When a manifest was pulled: appended without waiting for anybody, folded into one row for each. No foreign keys: the
-- rows say what was, and hold nothing that is removed.
CREATE TABLE manifest_use_mark (
  manifest_id bigint NOT NULL,
  used_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX manifest_use_mark_manifest_idx ON manifest_use_mark (manifest_id, used_at);
CREATE TABLE manifest_use (
  manifest_id bigint PRIMARY KEY,
  used_at     timestamptz NOT NULL
);

-- How long untagged manifests are kept after they were used last, where the namespace has a rule of its own: `keep`, or a
-- duration such as `30d`, which Postgres reads as an interval.
ALTER TABLE namespace ADD COLUMN untagged text;
ALTER TABLE namespace
  ADD CONSTRAINT namespace_untagged_check CHECK (untagged = 'keep' OR untagged ~ '^[0-9]{1,9}(ms|s|m|h|d)$');
CREATE INDEX namespace_untagged_idx ON namespace (id) WHERE untagged IS NOT NULL;

-- Settings that looks were made under, by the hold that they rule; 'namespace <id>' stands for a namespace's own rule.
-- Where done_to is not null the setting was changed, and reviews up to that manifest were brought forward since.
CREATE TABLE gc_setting (
  name    text PRIMARY KEY,
  value   text NOT NULL,
  done_to bigint
);

-- Set when the removal of a deleted repository began: from then on it cannot be restored.
ALTER TABLE repository ADD COLUMN removal_began_at timestamptz;

-- Null where it is not known.
ALTER TABLE doomed_object ADD COLUMN size_bytes bigint;

GRANT SELECT, INSERT, UPDATE, DELETE ON link_review, manifest_use TO entrepot_registry, entrepot_jobrunner;
GRANT INSERT ON manifest_use_mark TO entrepot_registry;
GRANT SELECT, DELETE ON manifest_use_mark TO entrepot_jobrunner;
GRANT SELECT, INSERT, UPDATE, DELETE ON gc_setting TO entrepot_jobrunner;
GRANT UPDATE (removal_began_at) ON repository TO entrepot_jobrunner;
