"""What clients do with all or many of their tasks: load, query, answer."""

from flask import abort, request
from flask.typing import ResponseReturnValue

from todo_service import database, identity
from todo_service.database.counts import COUNTS
from todo_service.tasks import batch
from todo_service.tasks.batch_schemas import Batch
from todo_service.tasks.blueprint import blueprint
from todo_service.tasks.changes_page import Changes, ChangesQuery
from todo_service.tasks.changes_statement import SELECT_CHANGES
from todo_service.tasks.list_page import TASK_QUERY, Page
from todo_service.tasks.summary_statement import SELECT_SUMMARY
from todo_service.web import (
    entity_tags,
    json_bodies,
    links,
    query_strings,
    rate_limits,
    sealed_tokens,
)

BATCH = Batch()
# Of one request; the items of a batch carry `version` and `id` instead.
CONDITIONS = ("If-Match", "If-None-Match", "Idempotency-Key")
# For the rate limit a batch counts as a request for each ten items begun.
ITEMS_A_REQUEST = 10
CHANGES_QUERY = ChangesQuery()


@blueprint.get("")
def list_tasks() -> ResponseReturnValue:
    """List the user's tasks."""
    page = Page(identity.user_id(), query_strings.load(TASK_QUERY))
    seen = entity_tags.seen_states(page.fingerprint)
    rows = database.fetch_all(page.statement(), page.parameters(seen))
    headers = {"ETag": entity_tags.of_list(rows[0].state, page.fingerprint)}
    if entity_tags.seen(headers["ETag"]):
        return "", 304, headers
    body = page.answer(rows)
    if body["next_cursor"]:
        headers["Link"] = links.to_next_page(body["next_cursor"])
    return body, headers


@blueprint.get("/summary")
def summarise_tasks() -> ResponseReturnValue:
    """Count the user's tasks by their state."""
    owner = identity.user_id()
    row = database.fetch_all(SELECT_SUMMARY, {"owner": owner})[0]
    fingerprint = sealed_tokens.fingerprint(owner, "summary")
    headers = {"ETag": entity_tags.of_list(row.state, fingerprint)}
    if entity_tags.seen(headers["ETag"]):
        return "", 304, headers
    return {name: getattr(row, name) for name in COUNTS}, headers


@blueprint.get("/changes")
def list_changes() -> ResponseReturnValue:
    """List what changed since a token."""
    changes = Changes(identity.user_id(), query_strings.load(CHANGES_QUERY))
    return changes.answer(database.fetch_all(SELECT_CHANGES, changes.parameters()))


@blueprint.post("/batch")
def change_many_tasks() -> ResponseReturnValue:
    """Create, change, delete or restore many tasks in one moment."""
    ((kind, items),) = json_bodies.load(BATCH).items()
    for name in CONDITIONS:
        if name in request.headers:
            abort(400, f"{name} is not for batches: items carry version and id.")
    # The request itself is counted already.
    rate_limits.count_user(identity.user_id(), (len(items) - 1) // ITEMS_A_REQUEST)
    return {"results": batch.results(identity.user_id(), kind, items)}
