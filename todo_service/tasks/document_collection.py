"""What the OpenAPI document says of the routes of all or many tasks."""

from todo_service.documents.operations import Answer, Body, Operation, ref
from todo_service.tasks.changes_page import ChangesQuery
from todo_service.tasks.document_examples import (
    DELETED,
    EVERY_FIELD,
    OWN_ID,
    TASK,
    TITLE_ALONE,
)
from todo_service.tasks.list_page import TASK_QUERY

CREATED = ("ETag", "Location")
COLLECTION: dict[str, Operation] = {
    "list_tasks": Operation(
        summary="List tasks",
        description=(
            "A page of the user's tasks. For the next page, repeat the query with"
            " `cursor` set to `next_cursor`, or follow `Link`; until `next_cursor` is"
            " null. With a `cursor`, `total` and `offset` are null. An unknown"
            " parameter, or a parameter that is given twice where one is allowed, is a"
            " 400."
        ),
        query=TASK_QUERY,
        conditional="this page",
        answers={
            200: Answer(
                "A page.",
                ref("TaskPage"),
                ("ETag", "Link"),
                {
                    "tasks": [TASK],
                    "total": 1,
                    "limit": 50,
                    "offset": 0,
                    "next_cursor": None,
                },
            )
        },
    ),
    "create_task": Operation(
        summary="Create a task",
        description=(
            "Only `title` is required. With an `Idempotency-Key` the request may be"
            " sent again: it creates one task, and every repetition is answered with"
            " it, as it is now."
        ),
        headers=("Idempotency-Key",),
        body=Body(
            schema=ref("NewTask"),
            examples={"Every field": EVERY_FIELD, "A title alone": TITLE_ALONE},
        ),
        answers={
            201: Answer(
                "The task, new or created by an earlier request with the same key.",
                ref("TaskOrDeleted"),
                (*CREATED, "Idempotency-Replayed"),
                TASK,
            )
        },
        refusals={409: "The idempotency key was used for another body."},
    ),
    "summarise_tasks": Operation(
        summary="Count tasks",
        description="All of the user's tasks, counted by their state.",
        conditional="these numbers",
        answers={
            200: Answer(
                "The numbers.",
                ref("Summary"),
                ("ETag",),
                {"pending": 3, "completed": 10, "deleted": 1},
            )
        },
    ),
    "list_changes": Operation(
        summary="List what has changed",
        description=(
            "For clients that keep a copy. Every task that has changed after the token"
            " `since`, oldest change first, each once and in its newest state; a"
            " deleted task has `deleted_at`. Keep `next`, and send it as `since` the"
            " next time. No change is lost, however writers and readers meet."
        ),
        query=ChangesQuery(),
        answers={
            200: Answer(
                "The changes.",
                ref("Changes"),
                (),
                {
                    "changes": [TASK, DELETED],
                    "next": "nLtCkq0mB0hVeqyyWzksMF0",
                    "more": False,
                },
            )
        },
        refusals={
            410: (
                "The token is from before the deletion of a task that has been purged"
                " since: start over without one."
            )
        },
    ),
    "change_many_tasks": Operation(
        summary="Create, change, delete or restore many tasks",
        description=(
            "Exactly one of `create`, `change`, `delete`, `restore`: a list of 1 to 100"
            " items. All happen in one moment. An item that meets a 404 or a 412 holds"
            " no other back; but if an item is not valid, the answer is a 400 that"
            " names it, and nothing has happened. `If-Match`, `If-None-Match` and"
            " `Idempotency-Key` are a 400 here. For the rate limit, a batch counts as"
            " one request for each ten items begun."
        ),
        body=Body(
            schema=ref("Batch"),
            examples={
                "Create two": {"create": [TITLE_ALONE, EVERY_FIELD | {"id": OWN_ID}]},
                "Complete two": {
                    "change": [
                        {"id": OWN_ID, "completed": True},
                        {"id": TASK["id"], "completed": True, "version": 7},
                    ]
                },
                "Delete one": {"delete": [{"id": OWN_ID}]},
                "Restore one": {"restore": [{"id": OWN_ID}]},
            },
        ),
        answers={
            200: Answer(
                "What each item met.",
                ref("BatchResults"),
                (),
                {
                    "results": [
                        {"status": 201, "task": TASK},
                        {"status": 412, "version": 3},
                        {"status": 404},
                    ]
                },
            )
        },
    ),
}
