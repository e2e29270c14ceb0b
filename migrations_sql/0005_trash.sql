-- The trash in its default order; the purge looks here too.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0005');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_trash;

CREATE INDEX CONCURRENTLY tasks_trash ON tasks (user_id, created_at, id)
    WHERE deleted_at IS NOT NULL;

INSERT INTO schema_migrations (version) VALUES ('0005');
