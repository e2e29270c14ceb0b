-- Users, their tasks, and the record of what has been applied.
--
-- Safe on a live database: everything here is new. A second application stops at
-- its first statement, and a failed one leaves nothing behind.

BEGIN;

SET LOCAL lock_timeout = '5s';

CREATE TABLE schema_migrations (
    version    text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO schema_migrations (version) VALUES ('0001');

-- One narrow row a user: every change of a task of theirs moves last_change, so half
-- of each page stays free and the new row version lands beside the old one (HOT).
CREATE TABLE users (
    id             text PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 255),
    last_change    bigint NOT NULL CHECK (last_change > 0),
    -- How many of the user's tasks are in each state; a write moves them along.
    pending        bigint NOT NULL DEFAULT 0 CHECK (pending >= 0),
    completed      bigint NOT NULL DEFAULT 0 CHECK (completed >= 0),
    deleted        bigint NOT NULL DEFAULT 0 CHECK (deleted >= 0),
    purged_through bigint NOT NULL DEFAULT 0 CHECK (purged_through >= 0),
    gone_at        timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The owner comes first in the key: isolation, locality, and the shard key.
CREATE TABLE tasks (
    user_id         text NOT NULL REFERENCES users ON DELETE CASCADE,
    id              uuid NOT NULL,
    title           text NOT NULL,
    description     text,
    completed       boolean NOT NULL,
    priority        text NOT NULL,
    due_at          timestamptz,
    position        text COLLATE "C" NOT NULL DEFAULT 'a0',
    tags            text[] NOT NULL,
    version         bigint NOT NULL,
    idempotency_key text,
    request_hash    bytea,
    completed_at    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    deleted_at      timestamptz,
    PRIMARY KEY (user_id, id),
    -- The contract's rules again, so that a hand-typed UPDATE cannot break them. The
    -- white space is Unicode's, as the service trims it.
    CONSTRAINT tasks_title CHECK (
        char_length(title) BETWEEN 1 AND 200
        AND title = btrim(title, U&'\0009\000A\000B\000C\000D\0020\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000')
    ),
    CONSTRAINT tasks_description CHECK (char_length(description) <= 5000),
    CONSTRAINT tasks_priority CHECK (priority IN ('low', 'medium', 'high')),
    CONSTRAINT tasks_tags CHECK (
        cardinality(tags) <= 20
        AND array_position(tags, NULL) IS NULL
        AND array_position(tags, '') IS NULL
        -- A vector's entries are distinct.
        AND length(array_to_tsvector(tags)) = cardinality(tags)
        AND NOT to_jsonb(tags) @? '$[*] ? (@ like_regex "^[\t\n\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]|[\t\n\u000B\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]$|^.{51}" flag "s")'
    ),
    CONSTRAINT tasks_version CHECK (version > 0),
    CONSTRAINT tasks_completed_at CHECK (completed = (completed_at IS NOT NULL)),
    CONSTRAINT tasks_due_at CHECK (
        due_at >= '0001-01-01 00:00:00+00' AND due_at < '10000-01-01 00:00:00+00'
    ),
    -- A key of fractional-indexing: its letter says how long the integer is, which may
    -- end with 0, while the fraction behind it may not.
    CONSTRAINT tasks_position CHECK (
        position ~ '^[A-Za-z][0-9A-Za-z]{1,254}$'
        AND position <> 'A00000000000000000000000000'
        AND char_length(position)
            - CASE WHEN position < 'a' THEN 92 - ascii(position) ELSE ascii(position) - 95 END
            BETWEEN 0 AND CASE right(position, 1) WHEN '0' THEN 0 ELSE 253 END
    ),
    CONSTRAINT tasks_idempotency CHECK (
        (idempotency_key IS NULL) = (request_hash IS NULL)
        AND char_length(idempotency_key) BETWEEN 1 AND 255
    )
);

-- An idempotency key means one task; also found by it when a request is repeated.
CREATE UNIQUE INDEX tasks_idempotency_key ON tasks (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- The list by creation; read backwards for its default order. Ascending, because new
-- tasks then fill the end of a page of the index, which is half the size.
CREATE INDEX tasks_live ON tasks (user_id, created_at, id)
    WHERE deleted_at IS NULL;

-- The pending ones in the same order, without walking the completed.
CREATE INDEX tasks_pending ON tasks (user_id, created_at, id)
    WHERE deleted_at IS NULL AND NOT completed;

COMMIT;
