"""What the real statements touch does not grow with the user's tasks."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import create_engine, text

from todo_service import create_app
from todo_service.database import migrations
from todo_service.database.driver import ONE_PLAN, for_driver
from todo_service.database.ids import new_id
from todo_service.tasks import queries
from todo_service.tasks.changes_statement import SELECT_CHANGES
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.views import NEW_TASK

SIZES = {"small": 1_000, "large": 100_000}
MIDDLE = "80000000-0000-0000-0000-000000000000"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

FILL = text(
    """
    INSERT INTO tasks
    SELECT :user, (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid,
           'Task ' || i, null, i % 3 = 0, (array['low', 'medium', 'high'])[1 + i % 3],
           CASE WHEN i % 5 > 0 THEN :began + i * interval '1 minute' END, '{}', i,
           null, null, CASE WHEN i % 3 = 0 THEN :began END,
           :began + i * interval '1 second', :began + i * interval '1 second', null
      FROM generate_series(1, :n) AS i
    """
)


@pytest.fixture(scope="module")
def filled(make_database, environ):
    """A database in which one user has few tasks and another has many."""
    url = make_database()
    shown = url.render_as_string(hide_password=False)
    app = create_app(environ | {"DATABASE_URL": shown})
    migrations.upgrade(app.extensions["database"])
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # PostgreSQL writes to the last page of an index without a search. So neither
        # user is the last.
        for user, n in (SIZES | {"zoe": 10}).items():
            user_row = text("INSERT INTO users VALUES (:user, :n, :n - :n / 3, :n / 3)")
            connection.execute(user_row, {"user": user, "n": n})
            connection.execute(FILL, {"user": user, "n": n, "began": BEGAN})
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    yield app.extensions["database"].engine
    app.extensions["database"].engine.dispose()


def page(user, sort="-created_at", *, after=None, status=None, seen=(), usual=True):
    """The list's statement and its parameters."""
    place_key, place_id = after or (None, None)
    every = SELECT_PAGE[sort, bool(after)]
    statement = SELECT_USUAL_PAGE.get((status, sort, bool(after)), every)
    return statement if usual else every, {
        **dict.fromkeys(FILTERS),
        "status": status,
        "deleted": False,
        "only_state": True,
        "owner": user,
        "seen": list(seen),
        "page_size": 51,
        "skipped": None if after else 0,
        "place_key": place_key,
        "place_id": place_id,
    }


def halfway(user, unit):
    """The moment that half of the user's tasks are after."""
    return BEGAN + SIZES[user] // 2 * timedelta(**{unit: 1})


def task_of(user):
    """The id of a task in the middle."""
    return f"{SIZES[user] // 2:08x}-0000-7000-8000-000000000000"


def one(user):
    """The parameters of a change of the task in the middle."""
    return {"owner": user, "task": task_of(user), "any_version": True, "match": []}


STATEMENTS = {
    "first page": page,
    "a page in the middle": lambda u: page(u, after=(halfway(u, "seconds"), MIDDLE)),
    "pending": lambda u: page(u, status=False),
    "pending, in the middle": lambda u: page(
        u, status=False, after=(halfway(u, "seconds"), MIDDLE)
    ),
    "by due date": lambda u: page(u, "due_at"),
    "by due date, in the middle": lambda u: page(
        u, "due_at", after=(halfway(u, "minutes"), MIDDLE)
    ),
    "those without a due date": lambda u: page(u, "due_at", after=("infinity", MIDDLE)),
    "by update, in the middle": lambda u: page(
        u, "updated_at", after=(halfway(u, "seconds"), MIDDLE)
    ),
    "first page, with every filter": lambda u: page(u, usual=False),
    "pending, with every filter": lambda u: page(u, status=False, usual=False),
    "completed": lambda u: page(u, status=True),
    "by update": lambda u: page(u, "-updated_at"),
    "pending, by due date": lambda u: page(u, "due_at", status=False),
    "a list that was seen": lambda u: page(u, seen=[f"{SIZES[u]}.0"]),
    "changes": lambda u: (
        SELECT_CHANGES,
        {"owner": u, "position": SIZES[u] - 10, "floor": 0, "page_size": 51},
    ),
    "one task": lambda u: (queries.SELECT_TASK, one(u)),
    "a change": lambda u: (
        queries.UPDATE_TASK,
        one(u) | queries.changed_values({"title": "x"}),
    ),
    "a toggle": lambda u: (queries.TOGGLE_TASK, one(u)),
    "a creation": lambda u: (
        queries.INSERT_TASK,
        {"owner": u, "task": str(new_id()), "key": None, "digest": None}
        | queries.new_values(NEW_TASK.load({"title": "x"})),
    ),
}


def plan_of(engine, ask) -> dict:
    """What PostgreSQL does for a statement in the long run; it is then undone.

    A prepared statement is explained after six runs, when a plan that was made without
    the values is weighed against the others.
    """
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
    sent = for_driver(ask()[0])
    connection = engine.raw_connection()
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(ONE_PLAN if sent.prepared else "SELECT")
        try:
            for _ in range(6 if sent.prepared else 0):
                sent.run(cursor, ask()[1])
            cursor.execute(f"{explain} {sent.message}", {**sent.constants, **ask()[1]})
            (explanation,) = cursor.fetchone()
        finally:
            cursor.execute("ROLLBACK")
    read = json.loads(explanation) if isinstance(explanation, str) else explanation
    return read[0]["Plan"]


def nodes(plan):
    """The plan's nodes, each with those below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def touched(plan) -> int:
    """Buffers, without the node that counts the whole list for `total`."""
    counting = [n for n in nodes(plan) if n.get("Subplan Name", "").startswith("Init")]
    return _buffers(plan) - sum(_buffers(n) for n in counting if _counts_tasks(n))


def _buffers(node) -> int:
    return node["Shared Hit Blocks"] + node["Shared Read Blocks"]


def _counts_tasks(node) -> bool:
    below = {n.get("Relation Name") for n in nodes(node)}
    return node["Node Type"] == "Aggregate" and below == {None, "tasks"}


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_a_statement_reads_does_not_grow_with_the_users_tasks(filled, name):
    plans = {u: plan_of(filled, partial(STATEMENTS[name], u)) for u in SIZES}

    # A hundred times the tasks are one or two more levels of each index.
    few, many = touched(plans["small"]), touched(plans["large"])
    assert many <= few + 10, plans["large"]
    assert many < 80


def test_a_list_that_was_seen_is_neither_read_nor_counted(filled):
    plan = plan_of(filled, lambda: page("large", seen=[f"{SIZES['large']}.0"]))

    read = {n.get("Relation Name") for n in nodes(plan) if n["Actual Loops"]}
    assert read - {None} == {"users"}
    assert touched(plan) <= 5
