-- Uploads whose end was committed, by the digest that they were finished by, so that the same end may be asked for again
-- (a balancer resends a PUT whose replica died before it answered). Written with the commit of the blob and forgotten an
-- hour later. No foreign keys: the row says what was, and protects nothing.
CREATE TABLE finished_upload (
  upload_id     uuid PRIMARY KEY,
  repository_id uuid NOT NULL,
  account_id    uuid NOT NULL,
  digest        bytea NOT NULL,
  finished_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX finished_upload_finished_at_idx ON finished_upload (finished_at);

GRANT SELECT, INSERT ON finished_upload TO entrepot_registry;
GRANT SELECT, DELETE ON finished_upload TO entrepot_jobrunner;
