-- Undo: what was deleted stays for a while (ENTREPOT_GC_UNDO), unseen, and can be restored.

-- A deleted manifest keeps its references, and so holds what it names. No read finds it, no tag points at it, and no live
-- index lists it. deleted_by is the actor's name as it was.
ALTER TABLE manifest ADD COLUMN deleted_at timestamptz, ADD COLUMN deleted_by text;
CREATE INDEX manifest_deleted_at_idx ON manifest (deleted_at, id) WHERE deleted_at IS NOT NULL;

-- A deleted repository is named `<name>@<id>`, which no request can spell: its name is free for another one, and
-- look-ups by name need no further condition. deleted_name is what it was called. While it was
-- deleted nobody could pull from it: what is kept for a time is kept for that time after restored_at, too.
ALTER TABLE repository
  ADD COLUMN deleted_at timestamptz,
  ADD COLUMN deleted_by text,
  ADD COLUMN deleted_name text COLLATE "C",
  ADD COLUMN restored_at timestamptz,
  ADD CONSTRAINT repository_deleted_check CHECK (num_nulls(deleted_at, deleted_name) IN (0, 2));
CREATE INDEX repository_deleted_at_idx ON repository (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX repository_deleted_name_idx ON repository (deleted_name, deleted_at) WHERE deleted_at IS NOT NULL;

-- Who changed a tag, by name: the command line has no account. Null: the account in changed_by, from before this column.
ALTER TABLE tag_history ADD COLUMN changed_by_name text;
-- What a tag left a short while ago is held for its history.
CREATE INDEX tag_history_previous_idx ON tag_history (repository_id, previous_digest, changed_at)
  WHERE previous_digest IS NOT NULL;

-- A push holds the row of its repository against its deletion, and only who may change something of a row may lock it:
-- created_at is what matters least.
GRANT UPDATE (created_at) ON repository TO entrepot_registry, entrepot_jobrunner;
-- Deleted repositories are removed with what was granted on them.
GRANT DELETE ON repository TO entrepot_jobrunner;
GRANT SELECT, DELETE ON access_grant TO entrepot_jobrunner;
