-- Accounts, sessions, signing keys and outgoing mail. Plain SQL that CockroachDB also runs.

-- People with accounts.
CREATE TABLE users (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    email_lower   text        NOT NULL CONSTRAINT users_email_lower UNIQUE,
    display_name  text        NOT NULL,
    password_hash text        NOT NULL,
    create_time   timestamptz NOT NULL DEFAULT now()
);

-- Who has which role. What a role permits stands in the program.
CREATE TABLE role_bindings (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role    text NOT NULL,
    PRIMARY KEY (user_id, role)
);
CREATE INDEX role_bindings_role ON role_bindings (role);

-- Sign-ups that wait for their mailed code.
CREATE TABLE sign_ups (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    display_name  text        NOT NULL,
    password_hash text        NOT NULL,
    code_hash     bytea       NOT NULL,
    wrong_codes   integer     NOT NULL DEFAULT 0,
    expire_time   timestamptz NOT NULL
);
CREATE INDEX sign_ups_expire_time ON sign_ups (expire_time);

-- One for each signing in.
CREATE TABLE sessions (
    id          uuid        PRIMARY KEY,
    user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client      text        NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    expire_time timestamptz NOT NULL,
    revoke_time timestamptz
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expire_time ON sessions (expire_time);

-- Every refresh token of a session. The one without use_time is good; a used one without successor was
-- ended before anybody used it.
CREATE TABLE refresh_tokens (
    token_hash  bytea       PRIMARY KEY,
    session_id  uuid        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    create_time timestamptz NOT NULL DEFAULT now(),
    use_time    timestamptz,
    successor   bytea
);
CREATE UNIQUE INDEX refresh_tokens_one_live ON refresh_tokens (session_id) WHERE use_time IS NULL;
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

-- Ed25519 keys for access tokens. The private part is sealed under a key that the database never sees.
CREATE TABLE signing_keys (
    kid            text        PRIMARY KEY,
    public         bytea       NOT NULL,
    sealed_private bytea       NOT NULL,
    state          text        NOT NULL CHECK (state IN ('PUBLISHED', 'ACTIVE', 'RETIRING')),
    create_time    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'ACTIVE';

-- Programs with accounts, and the hashes of their keys.
CREATE TABLE service_accounts (
    name        text        PRIMARY KEY,
    create_time timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE service_keys (
    hash        bytea       PRIMARY KEY,
    account     text        NOT NULL REFERENCES service_accounts (name) ON DELETE CASCADE,
    create_time timestamptz NOT NULL DEFAULT now()
);

-- Outgoing mail. The body may hold a code, so it is emptied once the mail is sent.
CREATE TABLE mails (
    id          uuid        PRIMARY KEY,
    recipient   text        NOT NULL,
    subject     text        NOT NULL,
    body        text        NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    sent_time   timestamptz,
    attempts    integer     NOT NULL DEFAULT 0
);
CREATE INDEX mails_unsent ON mails (create_time) WHERE sent_time IS NULL;

-- Its one row is locked by whoever sets the service up, so that replicas starting at once take turns.
CREATE TABLE setup (
    id integer PRIMARY KEY
);
INSERT INTO setup (id) VALUES (1);
