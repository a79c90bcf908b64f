-- Why a blob is quarantined, and since when: its object was found missing, short, or of other bytes (corrupt). Until its
-- bytes are there again it counts as not held; its links stay, so that one push heals every repository that has one.
ALTER TABLE blob
  ADD COLUMN fault text,
  ADD COLUMN fault_at timestamptz,
  ADD CONSTRAINT blob_fault_check CHECK (fault IN ('missing', 'short', 'corrupt')),
  ADD CONSTRAINT blob_fault_at_check CHECK ((fault IS NULL) = (fault_at IS NULL));
CREATE INDEX blob_fault_at_idx ON blob (fault_at) WHERE fault IS NOT NULL;

-- Unique as before, but no longer what a foreign key could name: an upload that may replace the key of a blob in quarantine
-- then locks the row as one that does not (FOR NO KEY UPDATE), and waits for nobody who links the blob.
CREATE UNIQUE INDEX blob_object_key_idx ON blob (object_key) WHERE object_key IS NOT NULL;
ALTER TABLE blob DROP CONSTRAINT blob_object_key_key;

-- A blob is healed by the statement that finishes an upload of it, or by a scrub that found its bytes right. Only a trigger
-- sees the row as it was when the statement got hold of it: the object that was replaced is doomed here, so that none is
-- ever forgotten. The upload, where there was one, says who healed it.
CREATE FUNCTION record_healed_blob() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;
CREATE TRIGGER blob_healed AFTER UPDATE ON blob FOR EACH ROW
  WHEN (OLD.fault IS NOT NULL AND NEW.fault IS NULL) EXECUTE FUNCTION record_healed_blob();

GRANT SELECT ON finished_upload TO entrepot_registry, entrepot_jobrunner;
