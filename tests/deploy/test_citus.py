"""What `deploy/citus.sql` does, and what statements may not do on Citus.

There is no Citus here. The rules were found on a real cluster: `docs/design.md`, "What
a distributed PostgreSQL refuses".
"""

from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import (
    CTE,
    Insert,
    Interval,
    NullPool,
    Update,
    create_engine,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, ClauseElement
from sqlalchemy.sql.functions import FunctionElement

from tests.house_rules import OWNER_COLUMN, tables_without_owner
from tests.running import ROOT
from tests.test_conventions import ABOUT_ALL_USERS, STATEMENTS
from todo_service import create_app
from todo_service.database import migrations
from todo_service.database.driver import for_driver
from todo_service.database.statements import OWNER
from todo_service.database.tables import metadata, tasks, users
from todo_service.tasks.scope import IS_ONE, TASK

SCRIPT = ROOT / "deploy" / "citus.sql"
DISTRIBUTED = {"users": "id", "tasks": "user_id"}
# What does not depend on anything but its arguments.
IMMUTABLE = {"coalesce", "count", "greatest", "max"}
# Citus' function for a PostgreSQL without it: it notes its arguments.
STAND_IN = """
CREATE TABLE distributed (place serial, name text, by text, beside text);
CREATE FUNCTION create_distributed_table(regclass, text, colocate_with text = 'default')
RETURNS void LANGUAGE sql AS
$$ INSERT INTO distributed (name, by, beside) VALUES ($1, $2, colocate_with) $$;
"""


def refused(statement: ClauseElement) -> list[str]:
    """What Citus refuses in a statement, or what would involve every worker."""
    found = []
    for part in visitors.iterate(statement):
        if isinstance(part, Update) and part.table.description in DISTRIBUTED:
            found += [f"{each} in an UPDATE" for each in _not_immutable(part)]
        if isinstance(part, CTE) and isinstance(part.element, Insert):
            found += [part.name] if part.element.table is tasks else []
    return found


def _not_immutable(part: ClauseElement) -> Iterator[str]:
    """The functions and the sums of times in an UPDATE, its CTEs left out."""
    for each in part.get_children():
        if isinstance(each, CTE):
            continue
        if isinstance(each, FunctionElement) and each.name not in IMMUTABLE:
            yield each.name
        if isinstance(each, BinaryExpression) and isinstance(each.right.type, Interval):
            yield "an interval"
        yield from _not_immutable(each)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_keeps_the_rules_of_citus(name):
    for_driver(STATEMENTS[name])  # it compiles

    assert refused(STATEMENTS[name]) == []


@pytest.mark.parametrize("name", STATEMENTS.keys() - ABOUT_ALL_USERS)
def test_a_statement_can_be_routed_to_its_owners_worker(name):
    """An equality on the distribution column of every table that it touches."""
    assert tables_without_owner(STATEMENTS[name]) == []


MINE = users.c.id == OWNER
BREACHES = {
    "volatile": update(users).values(gone_at=func.clock_timestamp()).where(MINE),
    "stable": update(tasks).values(updated_at=func.now()).where(IS_ONE),
    "in-where": update(tasks).values(title="").where(IS_ONE, func.random() < 1),
    "interval": update(tasks)
    .values(updated_at=tasks.c.updated_at + literal(None, Interval))
    .where(IS_ONE),
    "returning": update(tasks)
    .values(title="")
    .where(IS_ONE)
    .returning(func.to_char(tasks.c.updated_at, "")),
    "inside-a-cte": select(
        update(users).values(gone_at=func.now()).where(MINE).returning(users).cte("c")
    ),
    "insert-in-a-cte": select(
        insert(tasks).values(user_id=OWNER, id=TASK).returning(tasks.c.id).cte("new")
    ),
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_breach_of_the_rules_is_found(breach):
    assert refused(breach) != []


def test_the_script_distributes_what_has_an_owner_users_first(make_database, environ):
    url = make_database().render_as_string(hide_password=False)
    migrations.upgrade(
        create_app(environ | {"DATABASE_URL": url}).extensions["database"]
    )
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for text in (STAND_IN, SCRIPT.read_text()):
            connection.exec_driver_sql(text)
        done = connection.exec_driver_sql(
            "SELECT name, by, beside FROM distributed ORDER BY place"
        )
        assert list(map(tuple, done)) == [
            ("users", "id", "default"),
            ("tasks", "user_id", "users"),
        ]
        keys = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'accounts'::regclass"
        )
        assert keys.scalar() == 0
        with pytest.raises(psycopg2.Error):  # a second time stops at once
            connection.connection.cursor().execute(SCRIPT.read_text())


def test_the_script_speaks_of_every_table():
    text = SCRIPT.read_text()

    assert {name for name in metadata.tables if name not in text} == set()
    assert DISTRIBUTED.items() <= OWNER_COLUMN.items()
