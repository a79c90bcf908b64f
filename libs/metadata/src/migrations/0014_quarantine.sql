-- Why a blob is quarantined, and since when: its object was found missing, short, or of other bytes (corrupt). Until a push
-- brings the bytes again it counts as not held; its links stay, so that this push heals every repository that has one.
ALTER TABLE blob
  ADD COLUMN fault text,
  ADD COLUMN fault_at timestamptz,
  ADD CONSTRAINT blob_fault_check CHECK (fault IN ('missing', 'short', 'corrupt')),
  ADD CONSTRAINT blob_fault_at_check CHECK ((fault IS NULL) = (fault_at IS NULL));
CREATE INDEX blob_fault_at_idx ON blob (fault_at) WHERE fault IS NOT NULL;
