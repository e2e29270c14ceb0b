"""What a statement reads as a user's tasks grow: buffers and time, from the plan.

    python -m benchmarks.growth [TASKS …]

For each number of tasks there is a user who has so many. The statements are the
service's own, with the plans that they have in the long run. Changes are undone.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, text

from benchmarks.operations import make_app
from todo_service.database import embedded
from todo_service.database.driver import for_driver
from todo_service.database.ids import new_id
from todo_service.tasks import queries
from todo_service.tasks.batch_items import changed_items
from todo_service.tasks.batch_queries import DELETE_TASKS, UPDATE_TASKS
from todo_service.tasks.changes_statement import SELECT_CHANGES
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.order_keys import with_positions
from todo_service.tasks.summary_statement import SELECT_SUMMARY
from todo_service.tasks.views import NEW_TASK

MIDDLE = "80000000-0000-0000-0000-000000000000"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Plan = dict[str, Any]
Question = tuple[Any, dict[str, Any]]  # a statement and its parameters

USER = text("INSERT INTO users VALUES (:user, :n, :n - :n / 3, :n / 3)")
FILL = text(
    """
    INSERT INTO tasks
    SELECT :user, (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid,
           'Task ' || i, null, i % 3 = 0, (array['low', 'medium', 'high'])[1 + i % 3],
           CASE WHEN i % 5 > 0 THEN :began + i * interval '1 minute' END,
           'g' || lpad(i::text, 7, '0'), '{}', i, null, null,
           CASE WHEN i % 3 = 0 THEN :began END,
           :began + i * interval '1 second', :began + i * interval '1 second', null
      FROM generate_series(1, :n) AS i
    """
)


def main() -> None:
    """Print a table: for each statement the buffers and milliseconds at each size."""
    sizes = [int(each) for each in sys.argv[1:]] or [1_000, 100_000, 1_000_000]
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        app = make_app(embedded.start(Path(folder)))
        engine = app.extensions["database"].engine
        fill(app.extensions["database"].url, sizes)
        print("| statement |", " | ".join(f"{size:,} tasks" for size in sizes), "|")
        print("| --- |", " | ".join("---" for _ in sizes), "|")
        for name, ask in STATEMENTS.items():
            plans = [plan_of(engine, partial(ask, size)) for size in sizes]
            cells = [f"{buffers(p)} / {p['Actual Total Time']:.2f} ms" for p in plans]
            print(f"| {name} |", " | ".join(cells), "|", flush=True)
        engine.dispose()


def fill(url: URL, sizes: list[int]) -> None:
    """Give a user of each size their tasks.

    One user more, who is the last in every index: PostgreSQL writes to the last page of
    an index without a search, which none of the others may profit from.
    """
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for user, size in [*((name_of(size), size) for size in sizes), ("zoe", 10)]:
            connection.execute(USER, {"user": user, "n": size})
            connection.execute(FILL, {"user": user, "n": size, "began": BEGAN})
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def name_of(size: int) -> str:
    """The user who has so many tasks."""
    return f"user of {size}"


def page(
    size: int,
    sort: str = "-created_at",
    *,
    after: tuple[Any, str] | None = None,
    status: bool | None = None,
    seen: tuple[str, ...] = (),
    usual: bool = True,
) -> Question:
    """The list's statement and its parameters."""
    place_key, place_id = after or (None, None)
    every = SELECT_PAGE[sort, bool(after)]
    statement = SELECT_USUAL_PAGE.get((status, sort, bool(after)), every)
    return statement if usual else every, {
        **dict.fromkeys(FILTERS),
        "status": status,
        "deleted": False,
        "only_state": True,
        "owner": name_of(size),
        "seen": list(seen),
        "page_size": 51,
        "skipped": None if after else 0,
        "place_key": place_key,
        "place_id": place_id,
    }


def halfway(size: int, unit: str) -> datetime:
    """The moment that half of the user's tasks are after."""
    return BEGAN + size // 2 * timedelta(**{unit: 1})


def task_of(size: int) -> str:
    """The id of a task in the middle."""
    return f"{size // 2:08x}-0000-7000-8000-000000000000"


def one(size: int) -> dict[str, Any]:
    """The parameters of a change of the task in the middle."""
    return {
        "owner": name_of(size),
        "task": task_of(size),
        "any_version": True,
        "match": [],
    }


def batch(size: int) -> dict[str, Any]:
    """The parameters of a change of 100 tasks, from the one in the middle on."""
    ids = [task_of(size + 2 * number) for number in range(100)]
    items = [{"id": each, "title": "x"} for each in ids]
    return {"owner": name_of(size), "items": changed_items(items)}


STATEMENTS: dict[str, Callable[[int], Question]] = {
    "first page": page,
    "a page in the middle": lambda n: page(n, after=(halfway(n, "seconds"), MIDDLE)),
    "pending": lambda n: page(n, status=False),
    "pending, in the middle": lambda n: page(
        n, status=False, after=(halfway(n, "seconds"), MIDDLE)
    ),
    "by due date": lambda n: page(n, "due_at"),
    "by due date, in the middle": lambda n: page(
        n, "due_at", after=(halfway(n, "minutes"), MIDDLE)
    ),
    "those without a due date": lambda n: page(n, "due_at", after=("infinity", MIDDLE)),
    "by update, in the middle": lambda n: page(
        n, "updated_at", after=(halfway(n, "seconds"), MIDDLE)
    ),
    "first page, with every filter": lambda n: page(n, usual=False),
    "pending, with every filter": lambda n: page(n, status=False, usual=False),
    "completed": lambda n: page(n, status=True),
    "by update": lambda n: page(n, "-updated_at"),
    "pending, by due date": lambda n: page(n, "due_at", status=False),
    "a list that was seen": lambda n: page(n, seen=(f"{n}.0",)),
    "summary": lambda n: (SELECT_SUMMARY, {"owner": name_of(n)}),
    "changes": lambda n: (
        SELECT_CHANGES,
        {"owner": name_of(n), "position": n - 10, "floor": 0, "page_size": 51},
    ),
    "one task": lambda n: (queries.SELECT_TASK, one(n)),
    "what a create has made": lambda n: (
        queries.SELECT_CREATED,
        one(n) | {"key": "a-key"},
    ),
    "a change": lambda n: (
        queries.UPDATE_TASK,
        one(n) | queries.changed_values({"title": "x"}),
    ),
    "100 changes": lambda n: (UPDATE_TASKS, batch(n)),
    "100 deletions": lambda n: (DELETE_TASKS, batch(n)),
    "a toggle": lambda n: (queries.TOGGLE_TASK, one(n)),
    "a creation": lambda n: (
        queries.INSERT_TASK,
        {"owner": name_of(n), "task": str(new_id()), "key": None, "digest": None}
        | queries.new_values(*with_positions([NEW_TASK.load({"title": "x"})])),
    ),
}


def plan_of(engine: Engine, ask: Callable[[], Question]) -> Plan:
    """What PostgreSQL does for a statement in the long run; it is then undone.

    A prepared statement is explained after six runs, when a plan that was made without
    the values is weighed against the others.
    """
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
    sent = for_driver(ask()[0])
    connection = engine.raw_connection()
    with closing(connection):
        cursor: Any = connection.cursor()
        cursor.execute("BEGIN")
        try:
            message = sent.plain
            if sent.prepared:
                cursor.execute(sent.prepared.planning or "SELECT")
                message = sent.prepared.execute
                for _ in range(6):
                    sent.run(cursor, ask()[1])
            cursor.execute(f"{explain} {message}", {**sent.constants, **ask()[1]})
            (explanation,) = cursor.fetchone()
        finally:
            cursor.execute("ROLLBACK")
    read = json.loads(explanation) if isinstance(explanation, str) else explanation
    return read[0]["Plan"]


def nodes(plan: Plan) -> Iterator[Plan]:
    """The plan's nodes, each with those below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def buffers(plan: Plan) -> int:
    """The pages that were read or written, from the cache or not."""
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


if __name__ == "__main__":
    main()
