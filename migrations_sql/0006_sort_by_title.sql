-- The list by title: by code point with ASCII letters folded, alike on every server.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0006');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_by_title;

CREATE INDEX CONCURRENTLY tasks_by_title ON tasks (user_id, lower(title COLLATE "C"), id)
    WHERE deleted_at IS NULL;

INSERT INTO schema_migrations (version) VALUES ('0006');
