"""What clients do with their tasks: load, query, answer."""

from urllib.parse import quote

from flask import Blueprint, abort, request

from todo_service import db, errors, identity, payloads
from todo_service.tasks import queries, schemas
from todo_service.tasks.ids import new_id

ONE_TASK = "/<uuid:task_id>"

NEW_TASK = schemas.Task()
CHANGES = schemas.Task(partial=True)
COMPLETION = schemas.Completion()
QUERY = schemas.TaskQuery()

blueprint = Blueprint("tasks", __name__)


@blueprint.url_value_preprocessor
def _forget_the_path_user(endpoint, values):
    """The token says who it is; the path's word goes no further."""
    if values:
        values.pop("user_id", None)


@blueprint.before_request
def _refuse_bad_queries():
    """Text that is none is refused also where a query means nothing."""
    payloads.query_pairs()


@blueprint.get("")
def list_tasks():
    """List the user's tasks."""
    query = payloads.query(QUERY)
    rows = db.fetch_all(queries.select_tasks(identity.user_id(), **query))
    return {
        "tasks": [_task(row) for row in rows if row.id],
        "total": rows[0].total,
        "limit": query["limit"],
        "offset": query["offset"],
    }


@blueprint.post("")
def create_task():
    """Create a task."""
    values = payloads.body(NEW_TASK)
    row = db.fetch_one(queries.insert_task(identity.user_id(), new_id(), values))
    if row is None:
        raise errors.bad_token("The token's user is gone.")
    collection = f"{request.root_path}{request.path.removesuffix('/')}"
    return _task(row), 201, {"Location": quote(f"{collection}/{row.id}")}


@blueprint.get(ONE_TASK)
def read_task(task_id):
    """Read one task."""
    return _found(queries.select_task(identity.user_id(), task_id))


@blueprint.put(ONE_TASK)
@blueprint.patch(ONE_TASK)
def change_task(task_id):
    """Change the fields that the body has."""
    values = payloads.body(CHANGES)
    return _found(queries.update_task(identity.user_id(), task_id, values))


@blueprint.delete(ONE_TASK)
def delete_task(task_id):
    """Delete a task."""
    _found(queries.delete_task(identity.user_id(), task_id))
    return {"message": "Task deleted"}


@blueprint.patch(f"{ONE_TASK}/complete")
@blueprint.patch(f"{ONE_TASK}/toggle-status")
def complete_task(task_id):
    """Toggle `completed`, or set it."""
    values = payloads.optional_body(COMPLETION)
    owner = identity.user_id()
    return _found(
        queries.update_task(owner, task_id, values)
        if values
        else queries.toggle_task(owner, task_id)
    )


def _task(row) -> dict:
    """What clients see of a row."""
    return dict(zip(queries.PUBLIC, row, strict=False))


def _found(statement) -> dict:
    """The statement's one row. No row is a 404, whoever's task it is."""
    row = db.fetch_one(statement)
    if row is None:
        abort(404, "There is no such task.")
    return _task(row)
