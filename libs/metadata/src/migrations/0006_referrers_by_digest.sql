-- Referrers are listed by digest: a page that follows goes on by what it was told, even where that manifest was deleted.
CREATE INDEX manifest_referrer_idx ON manifest (repository_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;
DROP INDEX manifest_subject_idx;

-- A transaction whose COMMIT was not answered is found again by the event that it wrote (database/unit-of-work.ts).
GRANT SELECT (id) ON outbox_event TO entrepot_registry;
