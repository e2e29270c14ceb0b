"""Which tasks a list shows: each filter is an entry.

An entry says how a query writes the filter, and what it means in a statement.
"""

from collections.abc import Callable
from dataclasses import dataclass

from marshmallow import fields as plain
from marshmallow import validate
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
)
from sqlalchemy.types import TypeEngine

from todo_service.database.tables import tasks
from todo_service.tasks.list_fields import Search, any_of
from todo_service.tasks.schemas import PRIORITIES
from todo_service.tasks.scope import DELETED
from todo_service.web import fields

# What comes behind it in a regular expression means itself (PostgreSQL, 9.7.3.4).
LITERALLY: ColumnElement = literal_column("'***='", Text)


@dataclass(frozen=True)
class Filter:
    """A condition on a value, which is the bound parameter of the filter's name.

    The condition is also true for a value of null: then the filter is off.
    """

    field: plain.Field
    condition: ColumnElement


def _given(
    name: str, kind: TypeEngine, meaning: Callable[[ColumnElement], ColumnElement]
) -> ColumnElement:
    """True if the parameter is null, or else what the condition says of it.

    psycopg2 writes the value into the statement. So the planner sees a constant, and
    drops a filter that is off.
    """
    value = bindparam(name, type_=kind)
    return or_(value.is_(None), meaning(value))


def _contains(column: ColumnElement, text: ColumnElement) -> ColumnElement:
    """True if the column has the text somewhere, in upper or lower case.

    A regular expression takes time by the length of the column. LIKE takes time by that
    length times the text's: 15 s for 7,200 long tasks, instead of 1.5.
    """
    return func.lower(column).regexp_match(LITERALLY + func.lower(text))


FILTERS: dict[str, Filter] = {
    "status": Filter(
        fields.Word(
            {"all": None, "pending": False, "completed": True},
            load_default=None,
            metadata={"description": "Only tasks that are done, or that are not."},
        ),
        _given("status", Boolean(), lambda completed: tasks.c.completed == completed),
    ),
    "deleted": Filter(
        fields.Word(
            {"false": False, "true": True},
            load_default=False,
            metadata={"description": "`true`: the trash, instead of the live tasks."},
        ),
        _given("deleted", Boolean(), lambda deleted: deleted == DELETED),
    ),
    "priority": Filter(
        any_of(
            fields.Text(validate=validate.OneOf(PRIORITIES)),
            "Only tasks of this priority.",
        ),
        _given("priority", ARRAY(Text), lambda each: tasks.c.priority == any_(each)),
    ),
    "tag": Filter(
        any_of(fields.Text(), "Only tasks with exactly this tag."),
        _given("tag", ARRAY(Text), tasks.c.tags.overlap),
    ),
    "q": Filter(
        Search(),
        _given(
            "q",
            Text(),
            lambda text: or_(
                _contains(tasks.c.title, text),
                _contains(tasks.c.description, text),
            ),
        ),
    ),
    "due_before": Filter(
        fields.Timestamp(
            metadata={"description": "Only tasks that are due before this moment."}
        ),
        _given("due_before", tasks.c.due_at.type, lambda end: tasks.c.due_at < end),
    ),
    "due_after": Filter(
        fields.Timestamp(
            metadata={"description": "Only tasks that are due then or later."}
        ),
        _given("due_after", tasks.c.due_at.type, lambda begin: tasks.c.due_at >= begin),
    ),
}
