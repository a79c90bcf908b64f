-- One role per service: none can do more than its work. Services connect as the owner's login and take their role
-- (`role` in the connection's options), so that no further password is needed. Roles belong to the whole server;
-- another database on it may have made them already, or be making them now.
DO $$
DECLARE service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['entrepot_registry', 'entrepot_auth', 'entrepot_jobrunner'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', service);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
    EXECUTE format('GRANT %I TO CURRENT_USER', service);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', service);
  END LOOP;
END $$;

GRANT SELECT ON schema_migration TO entrepot_registry, entrepot_auth, entrepot_jobrunner;

-- auth: reads who may, keeps keys, refresh tokens and failed logins; cannot see content.
GRANT SELECT ON namespace, account, organisation_member, team, team_member, repository, access_grant TO entrepot_auth;
GRANT UPDATE (password_hash) ON account TO entrepot_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON signing_key, refresh_token, login_failure TO entrepot_auth;
GRANT INSERT ON audit_event TO entrepot_auth;

-- registry: reads who may and the public halves of the keys, creates repositories, keeps content.
GRANT SELECT ON namespace, account, organisation_member, team, team_member, repository, access_grant TO entrepot_registry;
GRANT INSERT ON repository TO entrepot_registry;
GRANT SELECT (kid, public_jwk, signs_from, verifies_until, created_at) ON signing_key TO entrepot_registry;
GRANT SELECT, INSERT, UPDATE, DELETE ON login_failure TO entrepot_registry;
GRANT SELECT, INSERT, UPDATE, DELETE ON blob, repository_blob, manifest, manifest_blob, manifest_child, sparse_reference,
  tag, upload, blob_review, manifest_review, doomed_object TO entrepot_registry;
GRANT SELECT, INSERT ON tag_history TO entrepot_registry;
GRANT INSERT ON usage_delta, audit_event, outbox_event TO entrepot_registry;

-- jobrunner: removes what is abandoned; sees no password and no key.
GRANT SELECT ON namespace, repository TO entrepot_jobrunner;
GRANT SELECT, INSERT, UPDATE, DELETE ON blob, repository_blob, manifest, manifest_blob, manifest_child, sparse_reference,
  tag, tag_history, upload, blob_review, manifest_review, doomed_object, usage_delta, outbox_event TO entrepot_jobrunner;
GRANT SELECT, DELETE ON refresh_token, login_failure TO entrepot_jobrunner;
GRANT INSERT ON audit_event TO entrepot_jobrunner;
