-- The list by time of change.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0002');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_by_update;

CREATE INDEX CONCURRENTLY tasks_by_update ON tasks (user_id, updated_at, id)
    WHERE deleted_at IS NULL;

INSERT INTO schema_migrations (version) VALUES ('0002');
