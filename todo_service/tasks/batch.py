"""A batch: what its items ask for is done in one statement, and each gets a result."""

from typing import Any

from sqlalchemy import Row

from todo_service import database, errors
from todo_service.database.faults import KeyTakenError
from todo_service.database.ids import new_ids
from todo_service.tasks.batch_items import changed_items, new_items
from todo_service.tasks.batch_queries import (
    DELETE_TASKS,
    INSERT_TASKS,
    RESTORE_TASKS,
    SELECT_TAKEN_IDS,
    UPDATE_TASKS,
)
from todo_service.tasks.columns import as_json
from todo_service.tasks.order_keys import with_positions

Items = list[dict[str, Any]]

CHANGES = {"change": UPDATE_TASKS, "delete": DELETE_TASKS, "restore": RESTORE_TASKS}
# Each round is lost to another request that takes one of the ids meanwhile.
ROUNDS = 10


def results(owner: str, kind: str, items: Items) -> Items:
    """What each item met, in their order. 401 if the user of new tasks is gone."""
    if kind == "create":
        return _create(owner, items)
    return _change(owner, kind, items)


def _change(owner: str, kind: str, items: Items) -> Items:
    parameters = {"owner": owner, "items": changed_items(items)}
    rows = database.fetch_all(CHANGES[kind], parameters)
    met = {row.number: row for row in rows}
    return [_changed(kind, met.get(number)) for number in range(1, len(items) + 1)]


def _changed(kind: str, row: Row | None) -> dict[str, Any]:
    """The result of a change. `change_many` says what its row is."""
    if row is None:
        return {"status": 404}
    if row.id is None:
        return {"status": 412, "version": row.found}
    if kind == "delete":
        return {"status": 200, "version": row.version}
    return {"status": 200, "task": as_json(row)}


def _create(owner: str, items: Items) -> Items:
    tasks = _complete(items)
    made, taken = _insert_free(owner, tasks)
    return [
        {"status": 201, "task": made[each["id"]]}
        if each["id"] in made
        else {"status": 412, "version": taken[each["id"]]}
        for each in tasks
    ]


def _insert_free(
    owner: str, tasks: Items
) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """The new tasks by their ids; the versions of those whose ids are taken.

    An id that is taken undoes the whole statement. Then the ids that are taken are
    read, and the rest is sent again.
    """
    taken: dict[str, int] = {}
    for _ in range(ROUNDS):
        free = [each for each in tasks if each["id"] not in taken]
        try:
            return _insert(owner, free), taken
        except KeyTakenError:
            taken = _taken(owner, tasks)
    message = "Others create tasks under these ids at the same time."
    raise errors.unavailable(message, "ids_contended")


def _complete(items: Items) -> Items:
    """The items, each with an id and a position."""
    minted = map(str, new_ids(len(items)))
    named = [{"id": new} | each for new, each in zip(minted, items, strict=True)]
    return with_positions(named)


def _insert(owner: str, tasks: Items) -> dict[str, dict[str, Any]]:
    """The new tasks by their ids."""
    if not tasks:
        return {}
    completed = sum(each["completed"] for each in tasks)
    rows = database.fetch_all(
        INSERT_TASKS,
        {
            "owner": owner,
            "items": new_items(tasks),
            "size": len(tasks),
            "added_pending": len(tasks) - completed,
            "added_completed": completed,
        },
    )
    if not rows:
        raise errors.bad_token("The token's user is gone.", "user_gone")
    return {row.id: as_json(row) for row in rows}


def _taken(owner: str, tasks: Items) -> dict[str, int]:
    """The ids of these that are taken, with the versions of their tasks."""
    ids = [each["id"] for each in tasks]
    rows = database.fetch_all(SELECT_TAKEN_IDS, {"owner": owner, "ids": ids})
    return {row.id: row.version for row in rows}
