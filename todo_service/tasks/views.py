"""What clients do with their tasks: load, query, answer."""

from flask import Blueprint, abort

from todo_service import db, errors, identity, payloads
from todo_service.tasks import etags, listing, pages, queries, retries, schemas, sync
from todo_service.tasks.columns import WITH_TRASH, as_json
from todo_service.tasks.ids import new_id

ONE_TASK = "/<uuid:task_id>"

NEW_TASK = schemas.Task()
CHANGES = schemas.Task(partial=True)
COMPLETION = schemas.Completion()
TASK_QUERY = schemas.TaskQuery()
CHANGES_QUERY = schemas.ChangesQuery()

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
    owner = identity.user_id()
    page = pages.Page(owner, payloads.query(TASK_QUERY))
    seen = etags.seen_states(page.fingerprint)
    rows = db.fetch_all(
        listing.select_tasks(
            owner,
            filters=page.filters,
            sort=page.sort,
            limit=page.limit,
            offset=page.offset,
            after=page.after,
            seen=seen,
        )
    )
    headers = {"ETag": etags.of_list(rows[0].state, page.fingerprint)}
    if rows[0].state in seen:
        return "", 304, headers
    body = page.answer(rows)
    if body["next_cursor"]:
        headers["Link"] = pages.link_to_next(body["next_cursor"])
    return body, headers


@blueprint.get("/changes")
def list_changes():
    """List what changed since a token."""
    owner = identity.user_id()
    query = payloads.query(CHANGES_QUERY)
    place = sync.Place(owner, query.get("since"))
    statement = sync.select_changes(
        owner, position=place.position, floor=place.floor, limit=query["limit"]
    )
    return place.answer(db.fetch_all(statement), query["limit"])


@blueprint.post("")
def create_task():
    """Create a task, or answer with the one that the idempotency key has made."""
    owner = identity.user_id()
    values = payloads.body(NEW_TASK)
    key = retries.idempotency_key()
    asked = retries.digest(values) if key else None
    row = db.fetch_one(
        queries.insert_task(
            owner, new_id(), values, idempotency_key=key, request_hash=asked
        ),
        if_taken=queries.select_replay(owner, key) if key else None,
    )
    if row is None:
        raise errors.bad_token("The token's user is gone.")
    if row.first not in (None, asked):
        abort(409, "The idempotency key was used for another body.")
    headers = {
        "ETag": etags.of_task(row.version),
        "Location": pages.path_below(row.id),
    }
    if row.first:
        headers["Idempotency-Replayed"] = "true"
    return as_json(row, WITH_TRASH), 201, headers


@blueprint.get(ONE_TASK)
def read_task(task_id):
    """Read one task."""
    row = db.fetch_one(queries.select_task(identity.user_id(), task_id))
    if row and etags.seen(etags.of_task(row.version)):
        return "", 304, {"ETag": etags.of_task(row.version)}
    return _task(row)


@blueprint.put(ONE_TASK)
@blueprint.patch(ONE_TASK)
def change_task(task_id):
    """Change the fields that the body has."""
    values = payloads.body(CHANGES)
    match = etags.demanded_versions()
    return _changed(
        queries.update_task(identity.user_id(), task_id, values, match=match)
    )


@blueprint.delete(ONE_TASK)
def delete_task(task_id):
    """Delete a task."""
    match = etags.demanded_versions()
    _changed(queries.delete_task(identity.user_id(), task_id, match=match))
    return {"message": "Task deleted"}


@blueprint.patch(f"{ONE_TASK}/complete")
@blueprint.patch(f"{ONE_TASK}/toggle-status")
def complete_task(task_id):
    """Toggle `completed`, or set it."""
    values = payloads.optional_body(COMPLETION)
    match = etags.demanded_versions()
    owner = identity.user_id()
    return _changed(
        queries.update_task(owner, task_id, values, match=match)
        if values
        else queries.toggle_task(owner, task_id, match=match)
    )


@blueprint.post(f"{ONE_TASK}/restore")
def restore_task(task_id):
    """Take a deleted task back."""
    match = etags.demanded_versions()
    return _changed(queries.restore_task(identity.user_id(), task_id, match=match))


def _changed(statement):
    """What a change left: 404 where there was nothing, 412 at another version."""
    row = db.fetch_one(statement)
    if row is not None and row.id is None:
        raise errors.OtherVersionError(etags.of_task(row.found))
    return _task(row)


def _task(row):
    """The task and its tag. No row is a 404, whoever's task it is."""
    if row is None:
        abort(404, "There is no such task.")
    return as_json(row), {"ETag": etags.of_task(row.version)}
