-- Spreads users and their tasks over the workers of a Citus cluster.
--
-- By hand, once, on the coordinator, after `flask db upgrade` and while the service is
-- stopped:  psql -v ON_ERROR_STOP=1 -f deploy/citus.sql
-- The extension has to be there, and the workers added (citus_add_node). Later
-- migrations are applied on the coordinator as usual. This file never ran on a cluster:
-- docs/operations.md says what was tried.

-- A local table cannot refer to a distributed one. The deletion of an account names the
-- account itself, so nothing leans on this key.
ALTER TABLE accounts DROP CONSTRAINT accounts_user_id_fkey;

-- users first: tasks refers to it, and the other order is refused. Colocated, a user
-- and the tasks of that user are on one worker, and so is each statement about them.
SELECT create_distributed_table('users', 'id');
SELECT create_distributed_table('tasks', 'user_id', colocate_with => 'users');

-- accounts, revoked_tokens and schema_migrations stay local, on the coordinator. Never
-- make them reference tables: a CTE that deleted from one changed one copy of three.
