-- Who may: namespaces, accounts, organisations, teams, repositories, grants, keys and tokens.
-- Foreign keys restrict, never cascade: whoever removes a row removes what hangs on it, knowingly.

CREATE TABLE namespace (
  id                 uuid PRIMARY KEY,
  name               text COLLATE "C" NOT NULL,
  kind               text NOT NULL,
  default_visibility text NOT NULL DEFAULT 'private',
  created_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT namespace_name_key UNIQUE (name),
  CONSTRAINT namespace_kind_check CHECK (kind IN ('user', 'organisation')),
  CONSTRAINT namespace_default_visibility_check CHECK (default_visibility IN ('public', 'private'))
);

-- A user's account and personal namespace share one id. access_version grows in the transaction that takes rights
-- away from the account; tokens carry the version that they were made under. credential_version grows, too, when the
-- account is disabled or its password replaced, and not with grants: refresh tokens carry that one.
CREATE TABLE account (
  id                 uuid PRIMARY KEY,
  password_hash      text,
  is_admin           boolean NOT NULL DEFAULT false,
  is_disabled        boolean NOT NULL DEFAULT false,
  access_version     bigint NOT NULL DEFAULT 1,
  access_changed_at  timestamptz NOT NULL DEFAULT now(),
  credential_version bigint NOT NULL DEFAULT 1,
  created_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT account_namespace_fkey FOREIGN KEY (id) REFERENCES namespace (id)
);
CREATE INDEX account_access_changed_at_idx ON account (access_changed_at) WHERE access_version > 1;

CREATE TABLE organisation_member (
  namespace_id uuid NOT NULL,
  account_id   uuid NOT NULL,
  role         text NOT NULL,
  CONSTRAINT organisation_member_pkey PRIMARY KEY (namespace_id, account_id),
  CONSTRAINT organisation_member_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace (id),
  CONSTRAINT organisation_member_account_fkey FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT organisation_member_role_check CHECK (role IN ('owner', 'member'))
);
CREATE INDEX organisation_member_account_idx ON organisation_member (account_id);

CREATE TABLE team (
  id           uuid PRIMARY KEY,
  namespace_id uuid NOT NULL,
  name         text COLLATE "C" NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT team_name_key UNIQUE (namespace_id, name),
  CONSTRAINT team_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace (id)
);

CREATE TABLE team_member (
  team_id    uuid NOT NULL,
  account_id uuid NOT NULL,
  CONSTRAINT team_member_pkey PRIMARY KEY (team_id, account_id),
  CONSTRAINT team_member_team_fkey FOREIGN KEY (team_id) REFERENCES team (id),
  CONSTRAINT team_member_account_fkey FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX team_member_account_idx ON team_member (account_id);

-- name is the whole canonical name, `library/hello`.
CREATE TABLE repository (
  id                uuid PRIMARY KEY,
  namespace_id      uuid NOT NULL,
  name              text COLLATE "C" NOT NULL,
  visibility        text NOT NULL DEFAULT 'private',
  created_by        uuid,
  access_version    bigint NOT NULL DEFAULT 1,
  access_changed_at timestamptz NOT NULL DEFAULT now(),
  created_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT repository_name_key UNIQUE (name),
  CONSTRAINT repository_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace (id),
  CONSTRAINT repository_created_by_fkey FOREIGN KEY (created_by) REFERENCES account (id),
  CONSTRAINT repository_visibility_check CHECK (visibility IN ('public', 'private'))
);
CREATE INDEX repository_namespace_idx ON repository (namespace_id, name);
CREATE INDEX repository_access_changed_at_idx ON repository (access_changed_at) WHERE access_version > 1;
CREATE INDEX repository_public_idx ON repository (name) WHERE visibility = 'public';

-- Exactly one of team_id and account_id is set; exactly one of repository_id and namespace_id is set.
-- A grant on a namespace holds for each repository in it, present and future.
CREATE TABLE access_grant (
  id            uuid PRIMARY KEY,
  repository_id uuid,
  namespace_id  uuid,
  team_id       uuid,
  account_id    uuid,
  role          text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT access_grant_key UNIQUE NULLS NOT DISTINCT (repository_id, namespace_id, team_id, account_id),
  CONSTRAINT access_grant_repository_fkey FOREIGN KEY (repository_id) REFERENCES repository (id),
  CONSTRAINT access_grant_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespace (id),
  CONSTRAINT access_grant_team_fkey FOREIGN KEY (team_id) REFERENCES team (id),
  CONSTRAINT access_grant_account_fkey FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT access_grant_resource_check CHECK (num_nonnulls(repository_id, namespace_id) = 1),
  CONSTRAINT access_grant_grantee_check CHECK (num_nonnulls(team_id, account_id) = 1),
  CONSTRAINT access_grant_role_check CHECK (role IN ('read', 'write', 'admin'))
);
CREATE INDEX access_grant_team_idx ON access_grant (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX access_grant_account_idx ON access_grant (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX access_grant_namespace_idx ON access_grant (namespace_id) WHERE namespace_id IS NOT NULL;

-- The private half is sealed under ENTREPOT_SECRETS_KEY; the public half is published at /auth/jwks.
-- A key signs from signs_from on, and verifies until verifies_until (null: no end set).
CREATE TABLE signing_key (
  kid            text PRIMARY KEY,
  public_jwk     jsonb NOT NULL,
  sealed_private text NOT NULL,
  signs_from     timestamptz NOT NULL,
  verifies_until timestamptz,
  created_at     timestamptz NOT NULL DEFAULT now()
);

-- Opaque, revocable, bound to account and service; only the SHA-256 of the secret is kept.
CREATE TABLE refresh_token (
  secret_sha256      bytea PRIMARY KEY,
  account_id         uuid NOT NULL,
  credential_version bigint NOT NULL,
  service            text NOT NULL,
  client_id          text NOT NULL,
  created_at         timestamptz NOT NULL DEFAULT now(),
  expires_at         timestamptz NOT NULL,
  CONSTRAINT refresh_token_account_fkey FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX refresh_token_account_idx ON refresh_token (account_id, created_at);
CREATE INDEX refresh_token_expires_at_idx ON refresh_token (expires_at);

-- Failed logins by key (a hash of account and address, or of the address), counted until the window's end. Unlogged: a
-- crash may forget failures, and a failed login waits for no disk.
CREATE UNLOGGED TABLE login_failure (
  key       text COLLATE "C" PRIMARY KEY,
  failures  integer NOT NULL,
  resets_at timestamptz NOT NULL
);
CREATE INDEX login_failure_resets_at_idx ON login_failure (resets_at);
