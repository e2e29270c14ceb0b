-- The list by priority, low before medium before high.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0005');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_by_priority;

CREATE INDEX CONCURRENTLY tasks_by_priority ON tasks (
    user_id,
    (CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END),
    id
) WHERE deleted_at IS NULL;

INSERT INTO schema_migrations (version) VALUES ('0005');
