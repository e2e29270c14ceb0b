"""The items of a batch, as the JSON that a statement gets and as the rows it makes."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import (
    CTE,
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    bindparam,
    column,
    func,
    select,
)

from todo_service.database.tables import tasks
from todo_service.tasks.new_values import Said
from todo_service.tasks.schemas import WRITABLE


def _rows(*fields: ColumnElement) -> CTE:
    """The items as rows. What an object of the JSON lacks is null in its row."""
    columns = (
        column("number", Integer),
        column("id", tasks.c.id.type),
        column("wanted", BigInteger),
        *fields,
    )
    sent = func.json_to_recordset(bindparam("items", type_=JSON))
    made = sent.table_valued(*columns).render_derived("sent", with_types=True)
    return select(made).cte("item")


# Items that name a task, and items that also say what becomes of its fields.
NAMED = _rows()
FILLED = _rows(
    *(column(f"new_{name}", tasks.c[name].type) for name in WRITABLE),
    *(column(f"sets_{name}", Boolean) for name in WRITABLE),
)


def said(source: FromClause) -> Said:
    """What the items say, as columns of these rows."""
    return lambda name, kind: source.c[name]


def new_items(tasks_to_create: list[dict[str, Any]]) -> str:
    """New tasks, each with its `id` and all fields, as JSON."""
    return _numbered(
        {"id": each["id"]} | {f"new_{name}": each[name] for name in WRITABLE}
        for each in tasks_to_create
    )


def changed_items(changes: list[dict[str, Any]]) -> str:
    """Changes of tasks, each with an `id` and perhaps a `version`, as JSON."""
    return _numbered(
        {"id": each["id"], "wanted": each.get("version")}
        | {f"new_{name}": each[name] for name in WRITABLE if name in each}
        | {f"sets_{name}": True for name in WRITABLE if name in each}
        for each in changes
    )


def _numbered(items: Iterable[dict[str, Any]]) -> str:
    """JSON of items that are numbered from 1."""
    return orjson.dumps(
        [each | {"number": number} for number, each in enumerate(items, start=1)]
    ).decode()
