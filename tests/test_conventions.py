"""The house rules that a machine can check, and violations that they must find."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, or_, select, update

import todo_service
from tests import house_rules
from tests.house_rules import Sources
from todo_service import accounts
from todo_service.accounts import deletion
from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks import (
    batch_queries,
    changes_statement,
    columns,
    purge,
    queries,
    schemas,
    summary_statement,
)
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.scope import IS_ONE, TASK

pytestmark = pytest.mark.once

PACKAGE = Path(todo_service.__file__).parent
DESIGN = PACKAGE.parent / "docs" / "design.md"
SOURCES: Sources = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path.read_text("utf-8")
    for path in PACKAGE.rglob("*.py")
}

# A rule, a module, what is planted at the end of it.
PLANTED = [
    (house_rules.wrong_directions, "web.paths", "import todo_service.database.tables"),
    (house_rules.wrong_directions, "identity", "from todo_service import database"),
    (house_rules.wrong_directions, "database", "from todo_service.web import paths"),
    (house_rules.wrong_directions, "errors", "from todo_service import tasks"),
    (house_rules.wrong_directions, "billing", "'''A new room.'''"),
    (house_rules.cycles, "web.cors", "from todo_service.web import caching"),
    (house_rules.forbidden_imports, "tasks.queries", "from flask import g"),
    (house_rules.forbidden_imports, "tasks.changes_statement", "import flask"),
    (
        house_rules.forbidden_imports,
        "tasks.change",
        "from todo_service import identity",
    ),
    (
        house_rules.forbidden_imports,
        "tasks.schemas",
        "from todo_service.database import tables",
    ),
    (house_rules.forbidden_imports, "tasks.schemas", "from flask import request"),
    (
        house_rules.imports_of_views,
        "tasks.purge",
        "from todo_service.tasks import views",
    ),
    (house_rules.raw_sql, "tasks.purge", "from sqlalchemy import text"),
    (house_rules.raw_sql, "tasks.queries", "from sqlalchemy.sql import text as raw"),
    (house_rules.raw_sql, "health", "import sqlalchemy\nsqlalchemy.text('SELECT 1')"),
    (house_rules.raw_sql, "database", "def run(c): c.exec_driver_sql('SELECT 1')"),
    (house_rules.raw_sql, "database.sessions", "def run(c): c.connection.cursor()"),
    (house_rules.undocumented, "silent", "x = 1"),
    (house_rules.too_long, "web.paths", "def f():\n" + "    x = 1\n" * 21),
    (house_rules.too_long, "web.links", "x = 1\n" * 151),
]
RULES = sorted({rule for rule, _, _ in PLANTED}, key=lambda rule: rule.__name__)


def named(rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_package_keeps_the_rule(rule):
    assert rule(SOURCES) == []


@pytest.mark.parametrize(("rule", "module", "planted"), PLANTED)
def test_the_rule_finds_a_planted_violation(rule, module, planted):
    name = f"todo_service.{module}"

    assert rule(SOURCES | {name: f"{SOURCES.get(name, '')}\n{planted}\n"}) != []


def test_a_long_module_may_say_why():
    text = f'"""{house_rules.LONG_FOR_A_REASON} it is data."""\n' + "x = 1\n" * 151

    assert house_rules.too_long({"todo_service.data": text}) == []


def test_every_module_of_statements_is_held_to_its_imports():
    builders = {
        module
        for module, text in SOURCES.items()
        if house_rules.room(module) in ("tasks", "accounts")
        and {"sqlalchemy.select", "sqlalchemy.bindparam"} & house_rules.imported(text)
    }

    # The purge is a command: it also runs its statements.
    assert builders - {"todo_service.tasks.purge"} <= house_rules.STATEMENTS.keys()


def test_the_picture_in_the_design_page_is_the_code():
    drawn: dict[str, set[str]] = {}
    for here, others in re.findall(
        r"^    (\w+) --> ([\w &]+)$", DESIGN.read_text(), re.M
    ):
        drawn.setdefault(here, set()).update(others.split(" & "))

    found = house_rules.room_imports(SOURCES)
    assert drawn == {here: others for here, others in found.items() if others}


STATEMENTS: dict[str, Any] = {
    name: value
    for module in (
        queries,
        batch_queries,
        changes_statement,
        summary_statement,
        purge,
        accounts.queries,
        deletion,
    )
    for name, value in vars(module).items()
    if isinstance(value, Executable) and not name.startswith("_")
} | {
    f"list: {key}": statement
    for lists in (SELECT_PAGE, SELECT_USUAL_PAGE)
    for key, statement in lists.items()
}
# The first looks for the next user with something to purge. Of the others nobody knows
# the user yet, only the e-mail.
ABOUT_ALL_USERS = {"NEXT_OWNER", "SELECT_BY_EMAIL", "SET_ACTIVE"}


@pytest.mark.parametrize("name", STATEMENTS.keys() - ABOUT_ALL_USERS)
def test_every_statement_names_the_owner_of_every_table(name):
    assert house_rules.tables_without_owner(STATEMENTS[name]) == []


def test_only_a_read_or_a_create_under_a_new_id_may_run_twice():
    twice = {n for n, each in STATEMENTS.items() if may_run_twice(each)}
    writing = {n for n, each in STATEMENTS.items() if house_rules.writes(each)}

    assert twice & writing == {"INSERT_NEW_TASK"}
    assert STATEMENTS.keys() - writing - vars(purge).keys() <= twice


def may_run_twice(statement: Executable) -> bool:
    return "repeatable" in statement.get_execution_options()


OTHERS = [
    pytest.param(select(tasks).where(tasks.c.id == TASK), id="by-id"),
    pytest.param(select(tasks).where(or_(IS_ONE, tasks.c.completed)), id="or"),
    pytest.param(select(tasks).where(tasks.c.user_id > OWNER), id="not-equal"),
    pytest.param(select(tasks).where(tasks.c.user_id == "alice"), id="a-constant"),
    pytest.param(
        select(users.c.id).where(
            users.c.id == OWNER, select(tasks.c.id).where(tasks.c.completed).exists()
        ),
        id="sub-select",
    ),
    pytest.param(select(select(tasks).where(tasks.c.id == TASK).cte("any")), id="cte"),
    pytest.param(select(tasks.join(users)).where(IS_ONE), id="join"),
    pytest.param(update(tasks).values(tags=[]).where(tasks.c.id == TASK), id="update"),
    pytest.param(delete(tasks).where(tasks.c.id == TASK), id="delete"),
    pytest.param(insert(tasks).values(user_id="bob", id=TASK), id="insert"),
    pytest.param(
        insert(tasks).from_select(["user_id"], select(users.c.id)), id="insert-select"
    ),
]


@pytest.mark.parametrize("statement", OTHERS)
def test_a_statement_that_reaches_other_users_rows_is_found(statement):
    assert house_rules.tables_without_owner(statement) != []


def test_what_clients_see_of_a_task_is_its_writable_and_its_read_only_fields():
    assert set(columns.WITH_TRASH) == {*schemas.WRITABLE, *schemas.READ_ONLY}
