-- Sync: the changes after a number, deleted tasks too.
--
-- no transaction: the index is built while writers go on. An interrupted build leaves an
-- invalid index, which the next application drops; one already applied stops it here:

BEGIN;
INSERT INTO schema_migrations (version) VALUES ('0004');
ROLLBACK;

DROP INDEX CONCURRENTLY IF EXISTS tasks_by_version;

CREATE INDEX CONCURRENTLY tasks_by_version ON tasks (user_id, version);

INSERT INTO schema_migrations (version) VALUES ('0004');
