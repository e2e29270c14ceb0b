"""The bodies of answers about tasks, as OpenAPI describes them.

The fields that clients write come from the schema that validates them.
"""

from todo_service.database.counts import COUNTS
from todo_service.documents import json_schemas
from todo_service.documents.operations import Json, ref
from todo_service.tasks.columns import PUBLIC, WITH_TRASH
from todo_service.tasks.schemas import Task

MOMENT: Json = {"type": "string", "format": "date-time"}
# What the service alone writes.
WRITTEN_HERE: dict[str, Json] = {
    "id": {
        "type": "string",
        "format": "uuid",
        "description": "A UUID of version 7, or the one that the client gave.",
    },
    "user_id": {"type": "string", "description": "Whose task it is."},
    "version": {
        "type": "integer",
        "minimum": 1,
        "description": "Grows with every change of the user's tasks; the `ETag`.",
    },
    "completed_at": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "When the task became completed; null while it is not.",
    },
    "created_at": MOMENT | {"description": "When the task was created."},
    "updated_at": MOMENT | {"description": "When the task was last changed."},
    "deleted_at": MOMENT
    | {
        "description": (
            "When the task was deleted. It is there only if it is, and so only in the"
            " trash, in changes, and in the answer to a repeated create."
        )
    },
}


def _shown(written: Json) -> Json:
    """A field that clients write, as answers have it: always there."""
    return {name: said for name, said in written.items() if name != "default"}


def _task(names: tuple[str, ...], description: str) -> Json:
    written = json_schemas.of_body(Task())["properties"]
    fields = {name: _shown(said) for name, said in written.items()}
    fields |= {name: {"readOnly": True} | said for name, said in WRITTEN_HERE.items()}
    return _object({name: fields[name] for name in names}, description, PUBLIC)


def _object(
    properties: Json, description: str, required: tuple[str, ...] | None = None
) -> Json:
    """An object that an answer has."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(required or properties),
        "additionalProperties": False,
    }


def _or_null(schema: Json) -> Json:
    return schema | {"type": [schema["type"], "null"]}


COUNT: Json = {"type": "integer", "minimum": 0}
SCHEMAS: dict[str, Json] = {
    "Task": _task(PUBLIC, "A task."),
    "TaskOrDeleted": _task(WITH_TRASH, "A task, with `deleted_at` if it is deleted."),
    "TaskPage": _object(
        {
            "tasks": {
                "type": "array",
                "items": ref("TaskOrDeleted"),
                "description": "The page. In the trash each task has `deleted_at`.",
            },
            "total": _or_null(COUNT)
            | {"description": "How many tasks match in all; null with a `cursor`."},
            "limit": COUNT | {"description": "The size of a page."},
            "offset": _or_null(COUNT)
            | {"description": "How many tasks were skipped; null with a `cursor`."},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null on the last one.",
            },
        },
        "A page of the list.",
    ),
    "Changes": _object(
        {
            "changes": {
                "type": "array",
                "items": ref("TaskOrDeleted"),
                "description": "Every task that has changed, in its newest state.",
            },
            "next": {
                "type": "string",
                "description": "The `since` of the next request.",
            },
            "more": {
                "type": "boolean",
                "description": "True if there is more: ask again at once.",
            },
        },
        "What has changed, oldest change first, each task once.",
    ),
    "Summary": _object(
        {
            name: COUNT | {"description": f"How many tasks are {name}."}
            for name in COUNTS
        },
        "All of the user's tasks, counted by their state.",
    ),
    "BatchResults": _object(
        {
            "results": {
                "type": "array",
                "items": ref("BatchResult"),
                "description": "One for each item, in the order of the items.",
            }
        },
        "What each item of a batch met.",
    ),
    "BatchResult": _object(
        {
            "status": {
                "type": "integer",
                "enum": [200, 201, 404, 412],
                "description": "The status that a request of its own would have had.",
            },
            "task": ref("Task"),
            "version": {
                "type": "integer",
                "description": "At a 412 the present version; at a 200 of `delete` the"
                " one in the trash.",
            },
        },
        "What an item met: the `task` at a 201 and a 200; at a 404 nothing more.",
        ("status",),
    ),
    "Message": _object(
        {"message": {"type": "string", "description": "That it is done."}}, "Done."
    ),
}
