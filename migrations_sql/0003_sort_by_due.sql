-- The list by due date, the earliest first, tasks without one last.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0003');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_by_due;

CREATE INDEX CONCURRENTLY tasks_by_due ON tasks (user_id, coalesce(due_at, 'infinity'::timestamptz), id)
    WHERE deleted_at IS NULL;

INSERT INTO schema_migrations (version) VALUES ('0003');
