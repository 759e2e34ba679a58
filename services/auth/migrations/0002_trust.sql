-- Second factors, custom roles, keys with terms, revocation, throttling, audit. Plain SQL that CockroachDB also runs.

ALTER TABLE users ADD COLUMN suspend_time timestamptz;

-- Roles beside those that stand in the program.
CREATE TABLE roles (
    id          text        PRIMARY KEY,
    description text        NOT NULL,
    permissions text[]      NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now()
);

-- Who has which role: users and service accounts alike, by their resource names.
CREATE TABLE bindings (
    id          uuid        PRIMARY KEY,
    role        text        NOT NULL,
    member      text        NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bindings_once UNIQUE (member, role)
);
CREATE INDEX bindings_role ON bindings (role);
INSERT INTO bindings (id, role, member) SELECT gen_random_uuid(), role, 'users/' || user_id FROM role_bindings;
DROP TABLE role_bindings;

-- Where a session was opened from.
ALTER TABLE sessions ADD COLUMN address text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN user_agent text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN refresh_time timestamptz NOT NULL DEFAULT now();

-- What was used long ago is forgotten also in sessions that live on.
CREATE INDEX refresh_tokens_use_time ON refresh_tokens (use_time);

-- Whose access tokens are to be refused until the last of them has expired: sessions, and keys of service accounts.
CREATE TABLE revocations (
    sid         uuid        PRIMARY KEY,
    revoke_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    expire_time timestamptz NOT NULL
);
CREATE INDEX revocations_revoke_time ON revocations (revoke_time);
CREATE INDEX revocations_expire_time ON revocations (expire_time);

-- Those that the settings name are built in.
ALTER TABLE service_accounts ADD COLUMN display_name text NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN built_in boolean NOT NULL DEFAULT true;
ALTER TABLE service_accounts ALTER COLUMN built_in SET DEFAULT false;
ALTER TABLE service_keys ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE service_keys ADD COLUMN display_name text NOT NULL DEFAULT '';
ALTER TABLE service_keys ADD COLUMN scopes text[] NOT NULL DEFAULT '{}';
ALTER TABLE service_keys ADD COLUMN expire_time timestamptz;
ALTER TABLE service_keys ADD COLUMN last_use_time timestamptz;
-- What the key's tokens name as "sid": its id at first, another one once they were revoked while the key stays good.
ALTER TABLE service_keys ADD COLUMN sid uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX service_keys_id ON service_keys (id);
CREATE INDEX service_keys_account ON service_keys (account);

-- What a key is used for follows from its times, so that replicas agree without telling each other.
ALTER TABLE signing_keys ADD COLUMN activate_time timestamptz NOT NULL DEFAULT now();
ALTER TABLE signing_keys ADD COLUMN retire_time timestamptz;
DROP INDEX signing_keys_one_active;
ALTER TABLE signing_keys DROP COLUMN state;

-- Lost passwords. Without a user if the address has no account: the row is there all the same.
CREATE TABLE password_resets (
    id          uuid        PRIMARY KEY,
    user_id     uuid        REFERENCES users (id) ON DELETE CASCADE,
    code_hash   bytea       NOT NULL,
    wrong_codes integer     NOT NULL DEFAULT 0,
    expire_time timestamptz NOT NULL
);
CREATE INDEX password_resets_user_id ON password_resets (user_id);
CREATE INDEX password_resets_expire_time ON password_resets (expire_time);

-- Authenticators (RFC 6238). The secret is sealed. Codes of last_step and before are used up.
CREATE TABLE authenticators (
    user_id       uuid        PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret bytea       NOT NULL,
    last_step     bigint      NOT NULL DEFAULT 0,
    create_time   timestamptz NOT NULL DEFAULT now(),
    confirm_time  timestamptz
);
CREATE TABLE recovery_codes (
    user_id   uuid  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    use_time  timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

-- Passwords that were right, waiting for a code.
CREATE TABLE challenges (
    token_hash  bytea       PRIMARY KEY,
    user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    wrong_codes integer     NOT NULL DEFAULT 0,
    expire_time timestamptz NOT NULL
);
CREATE INDEX challenges_user_id ON challenges (user_id);
CREATE INDEX challenges_expire_time ON challenges (expire_time);

-- Attempts, by the hash of what they are counted for: when it would be as if there had been none (the theoretical arrival
-- time of the generic cell rate algorithm).
CREATE TABLE throttles (
    key       bytea       PRIMARY KEY,
    free_time timestamptz NOT NULL
);
CREATE INDEX throttles_free_time ON throttles (free_time);

-- A mail is tried again later; one that nobody takes, or that would come too late, is given up.
ALTER TABLE mails ADD COLUMN dedupe_key text CONSTRAINT mails_once UNIQUE;
ALTER TABLE mails ADD COLUMN next_attempt_time timestamptz NOT NULL DEFAULT now();
ALTER TABLE mails ADD COLUMN expire_time timestamptz;
ALTER TABLE mails ADD COLUMN failure text;
DROP INDEX mails_unsent;
CREATE INDEX mails_unsent ON mails (next_attempt_time) WHERE sent_time IS NULL AND failure IS NULL;

-- What was done, by whom, from where. Rows are added and never changed: the service itself gives up the right to.
CREATE TABLE audit_events (
    id          uuid        PRIMARY KEY,
    action      text        NOT NULL,
    actor       text        NOT NULL,
    resource    text        NOT NULL,
    address     text        NOT NULL,
    user_agent  text        NOT NULL,
    details     jsonb       NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_events_resource ON audit_events (resource, id);
CREATE INDEX audit_events_actor ON audit_events (actor, id);
REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM CURRENT_USER;
