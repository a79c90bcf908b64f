-- Objects that a sweep found in a store and that no row knows. One is doomed when a later sweep finds it still unknown, and
-- old enough by the clock of its store.
CREATE TABLE sweep_candidate (
  -- As the store lists it.
  object_key    text COLLATE "C" NOT NULL,
  -- Of the upload that wrote it: what any row that knows it would begin with.
  upload_key    text COLLATE "C" NOT NULL,
  -- The blob's object that it lies beside; null where the upload left no blob.
  blob_key      text COLLATE "C",
  -- What is doomed: all of the upload, or all but the object of the blob.
  doomed_key    text COLLATE "C" NOT NULL,
  size_bytes    bigint NOT NULL,
  -- By the store's clock, and compared with nothing else.
  modified_at   timestamptz NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  -- Sweeps, by the ids of their jobs.
  first_run     text NOT NULL,
  last_run      text NOT NULL,
  CONSTRAINT sweep_candidate_pkey PRIMARY KEY (object_key)
);
CREATE INDEX sweep_candidate_doomed_key_idx ON sweep_candidate (doomed_key);

-- Asked for by the key that a store lists.
CREATE INDEX upload_object_key_idx ON upload (object_key);

GRANT SELECT, INSERT, UPDATE, DELETE ON sweep_candidate TO entrepot_jobrunner;
