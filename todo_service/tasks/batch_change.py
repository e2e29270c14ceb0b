"""The statement that changes many tasks at once, and tells 200, 404 and 412 apart.

It does for many what `change_one` does for one task: read that first. `hit` has every
task that an item names, in the trash or not, locked in the order of the ids. `found`
joins each to its item. The later CTEs act only on those rows of `found` that change,
each with its own number of the counter, in the order of the items.

Its parameters are `owner` and `items`: a list of objects as JSON, so that the text is
the same for any number of them.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    any_,
    func,
    or_,
    select,
    true,
    union_all,
    update,
)

from todo_service.database.counts import COUNTS
from todo_service.database.driver import prepare
from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.columns import PUBLIC, shown
from todo_service.tasks.counting import NUMBERS, differences, lock, newest
from todo_service.tasks.scope import OWNED


def change_many(
    item: CTE,
    new_values: Callable[[FromClause], dict[str, Any]],
    *,
    restoring: bool = False,
    names: tuple[str, ...] = PUBLIC,
) -> Select:
    """Changes of many tasks, each if its version is any, or the one that is `wanted`.

    A row for each item whose task is there: the `number` of the item, the version that
    was `found`, and the task after the change. Its `id` is null if the version is
    another one: then this task was left alone.
    """
    found = _found(item, restoring=restoring)
    values = new_values(found)
    change = _counted(values, found, restoring=restoring)
    done = _written(values, found, change)
    outcome = done if not restoring else _or_as_it_was(done, found)
    same = and_(outcome.c.user_id == found.c.user_id, outcome.c.id == found.c.id)
    return prepare(
        select(
            *shown(outcome, names), found.c.version.label("found"), found.c.number
        ).select_from(found.outerjoin(outcome, same))
    )


def _hit(item: CTE) -> CTE:
    """The user and the tasks, locked in this order, as they are now."""
    named = any_(func.array(select(item.c.id).scalar_subquery()))
    chosen = newest(and_(OWNED, tasks.c.id == named))
    return lock(chosen.order_by(tasks.c.id))


def _found(item: CTE, *, restoring: bool) -> CTE:
    """The tasks with their items; and the moment of the batch, which is that of all.

    `changes` says whether a task changes. Then `place` counts those that do, from 1.
    """
    hit = _hit(item)
    matches = or_(item.c.wanted.is_(None), item.c.wanted == hit.c.version)
    changes = and_(matches, hit.c.deleted_at.is_not(None)) if restoring else matches
    return (
        select(
            *(column for column in hit.c if column.name != "stamp"),
            *(column for column in item.c if column.name != "id"),
            matches.label("matches"),
            changes.label("changes"),
            func.count().filter(changes).over(order_by=item.c.number).label("place"),
            func.max(hit.c.stamp).over().label("stamp"),
        )
        .join_from(hit, item, item.c.id == hit.c.id)
        .where(true() if restoring else hit.c.deleted_at.is_(None))
        .cte("found")
    )


def _counted(values: dict[str, Any], found: CTE, *, restoring: bool) -> CTE:
    """The user's counter and numbers, moved on from those in `found`.

    There is nothing to move if nothing changes.
    """
    moved = differences(values, found, restoring=restoring)
    before = {name: found.c[f"user_{name}"] for name in NUMBERS}
    added = {"last_change": func.count()} | {n: func.sum(moved[n]) for n in COUNTS}
    total = (
        select(found.c.user_id, *((before[n] + added[n]).label(n) for n in NUMBERS))
        .where(found.c.changes)
        .group_by(found.c.user_id, *before.values())
        .cte("total")
    )
    return (
        update(users)
        .values({name: total.c[name] for name in NUMBERS})
        .where(users.c.id == OWNER, users.c.id == total.c.user_id)
        .returning(users.c.id)
        .cte("change")
    )


def _written(values: dict[str, Any], found: CTE, change: CTE) -> CTE:
    """The tasks after the change."""
    version: ColumnElement = found.c.user_last_change + found.c.place
    return (
        update(tasks)
        .values(**values, version=version, updated_at=found.c.stamp)
        .where(
            OWNED, tasks.c.user_id == change.c.id, tasks.c.user_id == found.c.user_id
        )
        .where(tasks.c.id == found.c.id, found.c.changes)
        .returning(tasks)
        .cte("done")
    )


def _or_as_it_was(done: CTE, found: CTE) -> CTE:
    """What was restored, and the tasks that were live already."""
    live = select(*(found.c[column.name] for column in tasks.c)).where(
        found.c.matches, found.c.deleted_at.is_(None)
    )
    return union_all(select(done), live).cte("outcome")
