-- Local accounts, and the tokens that were revoked before they expired.
--
-- Safe on a live database: both tables are new. Their one foreign key locks users against
-- writers for a moment; if it cannot have that lock within 5 s, nothing is kept.

BEGIN;

SET LOCAL lock_timeout = '5s';

INSERT INTO schema_migrations (version) VALUES ('0006');

-- The service writes e-mails in lower case, so the unique key knows no case. PostgreSQL
-- folds letters as its locale says, so the CHECK repeats the rule for ASCII alone.
CREATE TABLE accounts (
    user_id          text PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    email            text NOT NULL UNIQUE,
    name             text,
    password_hash    text NOT NULL,
    is_active        boolean NOT NULL DEFAULT true,
    -- A token carries this number. A new password moves it, and all earlier tokens end.
    token_generation integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_email CHECK (
        char_length(email) BETWEEN 3 AND 254
        AND email = lower(email COLLATE "C")
    ),
    CONSTRAINT accounts_name CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT accounts_password_hash CHECK (password_hash LIKE '$argon2id$%'),
    CONSTRAINT accounts_token_generation CHECK (token_generation > 0)
);

-- By a token's own id and never by its text, which has more than one spelling.
CREATE TABLE revoked_tokens (
    jti        uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- The purge drops the expired ones.
CREATE INDEX revoked_tokens_expired ON revoked_tokens (expires_at);

COMMIT;
