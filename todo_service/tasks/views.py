"""What clients do with one task, as `docs/contract.md` says: load, query, answer."""

from typing import Any
from uuid import UUID

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Executable, Row

from todo_service import database, errors, identity
from todo_service.database.ids import new_id
from todo_service.tasks import order_keys, queries, schemas
from todo_service.tasks.blueprint import blueprint
from todo_service.tasks.columns import PUBLIC, WITH_TRASH, as_json
from todo_service.web import entity_tags, idempotency, json_bodies, links

Values = dict[str, Any]

ONE_TASK = "/<uuid:task_id>"

NEW_TASK = schemas.Task()
TASK_PATCH = schemas.Task(partial=True)
COMPLETION = schemas.Completion()


@blueprint.post("")
def create_task() -> ResponseReturnValue:
    """Create a task, or answer with the one that the idempotency key has created."""
    values = json_bodies.load(NEW_TASK)
    key = idempotency.key()
    digest = idempotency.digest(NEW_TASK, values) if key else None
    new = _one(new_id())
    row = _created(
        queries.INSERT_NEW_TASK,
        new | {"key": key, "digest": digest},
        values,
        if_taken=queries.SELECT_CREATED,
    )
    headers = {"Location": links.below_here(row.id)}
    if row.id != new["task"]:
        headers["Idempotency-Replayed"] = "true"
        if bytes(row.request_hash) != digest:
            abort(409, "The idempotency key was used for another body.")
    return _task(row, 201, WITH_TRASH, headers)


@blueprint.get(ONE_TASK)
def read_task(task_id: UUID) -> ResponseReturnValue:
    """Read one task."""
    row = database.fetch_one(queries.SELECT_TASK, _one(task_id))
    if row and entity_tags.seen(entity_tags.of_version(row.version)):
        return "", 304, {"ETag": entity_tags.of_version(row.version)}
    return _task(_found(row))


@blueprint.put(ONE_TASK)
def put_task(task_id: UUID) -> ResponseReturnValue:
    """Change a task; with `If-None-Match: *` create it under the client's id."""
    if "If-None-Match" not in request.headers:
        return change_task(task_id)
    values = json_bodies.load(NEW_TASK)
    entity_tags.require_absence()
    row = _created(
        queries.INSERT_TASK, _one(task_id), values, if_taken=queries.SELECT_TAKEN
    )
    _refuse_other_version(row, "The id is taken")
    return _task(row, 201, headers={"Location": links.beside_here(row.id)})


@blueprint.patch(ONE_TASK)
def change_task(task_id: UUID) -> ResponseReturnValue:
    """Change the fields that the body has."""
    values = json_bodies.load(TASK_PATCH)
    return _task(_changed(queries.UPDATE_TASK, task_id, values))


@blueprint.delete(ONE_TASK)
def delete_task(task_id: UUID) -> ResponseReturnValue:
    """Move a task to the trash. The tag is the one that it has there."""
    row = _changed(queries.DELETE_TASK, task_id)
    return {"message": "Task deleted"}, {"ETag": entity_tags.of_version(row.version)}


@blueprint.patch(f"{ONE_TASK}/complete")
@blueprint.patch(f"{ONE_TASK}/toggle-status")
def complete_task(task_id: UUID) -> ResponseReturnValue:
    """Toggle `completed`, or set it."""
    values = json_bodies.load_optional(COMPLETION)
    if values:
        return _task(_changed(queries.UPDATE_TASK, task_id, values))
    return _task(_changed(queries.TOGGLE_TASK, task_id))


@blueprint.post(f"{ONE_TASK}/restore")
def restore_task(task_id: UUID) -> ResponseReturnValue:
    """Take a task back from the trash; a live one stays as it is."""
    return _task(_changed(queries.RESTORE_TASK, task_id))


def _one(task_id: UUID) -> Values:
    """The parameters that pick out a task."""
    return {"owner": identity.user_id(), "task": str(task_id)}


def _created(
    statement: Executable, task: Values, values: Values, *, if_taken: Executable
) -> Row:
    """The new task, or what `if_taken` finds of an earlier one. 401 without a user."""
    new = queries.new_values(*order_keys.with_positions([values]))
    parameters = {"key": None, "digest": None} | task | new
    row = database.fetch_one(statement, parameters, if_taken=if_taken)
    if row is None:
        raise errors.bad_token("The token's user is gone.", "user_gone")
    return row


def _changed(statement: Executable, task_id: UUID, values: Values | None = None) -> Row:
    """The task after a change. 404 if there is none, 412 if it has another version."""
    match = entity_tags.demanded_versions()
    parameters = _one(task_id) | {"any_version": match is None, "match": match or []}
    if values:
        parameters |= queries.changed_values(values)
    row = _found(database.fetch_one(statement, parameters))
    _refuse_other_version(row, "The current version is another one")
    return row


def _refuse_other_version(row: Row, message: str) -> None:
    """412 if the row is that of a task which was left alone."""
    if row.id is None:
        raise errors.OtherVersionError(entity_tags.of_version(row.found), message)


def _found(row: Row | None) -> Row:
    """The row. None is a 404, whether the task is absent or another user's."""
    if row is None:
        abort(404, "There is no such task.")
    return row


def _task(
    row: Row,
    status: int = 200,
    columns: tuple[str, ...] = PUBLIC,
    headers: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """The task and its tag."""
    tag = {"ETag": entity_tags.of_version(row.version)}
    return as_json(row, columns), status, tag | (headers or {})
